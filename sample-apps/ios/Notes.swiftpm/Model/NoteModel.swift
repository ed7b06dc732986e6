import Foundation
import Observation
import Sotto

/// A note from its first word to its summary.
@MainActor @Observable
public final class NoteModel {
    /// What is being done.
    public enum Phase: Equatable {
        case idle
        case listening
        case summarizing
        case failed(String)
    }

    /// What is being done.
    public private(set) var phase = Phase.idle
    /// What was said, as far as it is certain.
    public private(set) var segments: [VoiceNote.Segment] = []
    /// What is being said, and may still change.
    public private(set) var hearing = ""
    /// The summary, which grows while it is written.
    public private(set) var summary: NoteSummary?
    /// Which of ``Learning/labels`` fits; `nil` also when none fits well enough.
    public private(set) var label: String?
    /// The actions that were ticked off.
    public private(set) var done: Set<NoteSummary.Action.ID> = []
    /// Whether the person wants more notes like this one, as far as they said so.
    public private(set) var isWanted: Bool?
    /// What went wrong with what was to be learnt or kept.
    public private(set) var trouble: Trouble?
    /// The notes that the person may want to read again.
    public private(set) var suggestions: [Suggestion] = []
    /// The segments that the chosen point or action rests on.
    public private(set) var evidence: Set<Int> = []
    /// How fast the latest summaries were.
    public private(set) var speeds = Speeds()

    private let store: NoteStore
    private let player: any Player
    private let learning: Learning
    /// The note that is shown, once it is kept.
    private var shown: SavedNote.ID?
    private var lesson: Task<Void, Never>?
    /// Where the sound of the note is, if it was kept.
    private var sound: URL?
    private var listener: (any Listener)?
    /// What reads along while a note is spoken, once its model is loaded.
    private var session: NoteSession?
    private var work: Task<Void, Never>?

    /// No note yet; those to come are kept in `store`, `player` plays what was said, and `learning` learns from corrections.
    public init(store: NoteStore, player: any Player, learning: Learning) {
        self.store = store
        self.player = player
        self.learning = learning
    }

    /// Listens until ``stop()``, while the model is loaded and then reads along; then writes the summary.
    public func record(from listener: any Listener, model: @escaping @MainActor () async throws -> LocalModel) {
        begin(.listening)
        self.listener = listener
        let new = SavedNote(segments: [])
        shown = new.id
        let sound = store.sound(of: new.id)
        self.sound = sound
        // Now, and not once the model is there: nothing that is said is lost.
        let utterances = listener.utterances(keepingSoundIn: sound)
        run { note in
            defer { note.session = nil }
            async let reading = note.readAlong(loading: model)
            let (spoken, failure) = await note.hear(utterances, into: new)
            // It need not be the listener that failed.
            listener.stop()
            if spoken.segments.isEmpty { await note.store.deleteSound(of: new.id) }
            try Task.checkCancellation()
            // What was understood so far is worth its summary.
            if !spoken.segments.isEmpty {
                note.phase = .summarizing
                let (model, session) = try await reading
                try await note.write(session.finish(), with: model, into: spoken)
            }
            if let failure { throw failure }
        }
    }

    /// Summarizes what was said before.
    public func open(_ saved: SavedNote, model: @escaping @MainActor () async throws -> LocalModel) {
        begin(.summarizing)
        segments = saved.segments
        (sound, shown) = (store.sound(of: saved.id), saved.id)
        (isWanted, done) = (saved.isWanted, saved.done ?? [])
        attempt { _ = try await $0.record(saved, .opened) }
        if saved.summary != nil {
            (summary, label, phase) = (saved.summary, saved.label, .idle)
            return
        }
        run { note in
            let model = try await model()
            try await note.write(model.summarize(.segments(saved.segments)), with: model, into: saved)
        }
    }

    /// Summarizes a text that was typed, pasted or opened: a transcript of any recorder, or plain words.
    public func read(_ text: String, model: @escaping @MainActor () async throws -> LocalModel) {
        begin(.summarizing)
        let saved = SavedNote(segments: VoiceNote.transcript(text).segments)
        (segments, shown) = (saved.segments, saved.id)
        run { note in
            guard !saved.segments.isEmpty else { throw Trouble.textUnusable }
            try await note.store.save(saved)
            let model = try await model()
            try await note.write(model.summarize(.segments(saved.segments)), with: model, into: saved)
        }
    }

    /// Summarizes a text file, in UTF-8 or UTF-16.
    public func read(contentsOf file: URL, model: @escaping @MainActor () async throws -> LocalModel) {
        var encoding = String.Encoding.utf8
        read((try? String(contentsOf: file, usedEncoding: &encoding)) ?? "", model: model)
    }

    /// Gives the shown note the label that the person chose, and learns it for notes of its kind.
    public func correct(to label: String) {
        self.label = label
        teach({ $0.label = label }, { try await $0.correct($1, to: label) })
    }

    /// The person wants more notes like the shown one, or no more of them.
    public func want(_ isWanted: Bool) {
        self.isWanted = isWanted
        teach({ $0.isWanted = isWanted }, { try await $0.record($1, isWanted ? .liked : .dismissed) })
    }

    /// Ticks off an action of the shown note, or takes that back.
    public func tick(_ action: NoteSummary.Action.ID) {
        done.formSymmetricDifference([action])
        guard let shown else { return }
        attempt { [store, done] _ in
            guard let note = await store.note(shown) else { return }
            try await store.update(note) { $0.done = done }
        }
    }

    /// Deletes a note, and everything that was learnt from it.
    public func delete(_ note: SavedNote) async throws {
        try await store.delete(note)
        attempt { try await $0.forget(note.id.uuidString) }
        await lesson?.value
    }

    /// Looks again which notes the person may want to read, once the lessons so far have ended.
    public func suggest() async {
        // What is deleted meanwhile is forgotten after this, and not known again by it.
        inTurn { note in
            note.suggestions = (try? await note.learning.suggestions(among: note.store.notes())) ?? []
        }
        await lesson?.value
    }

    private func teach(
        _ change: @escaping @Sendable (inout SavedNote) -> Void,
        _ teach: @escaping @Sendable (Learning, SavedNote) async throws -> Personal.Learnt
    ) {
        guard let shown else { return }
        attempt { [store] learning in
            guard let note = await store.note(shown) else { return }
            try await store.update(note, change)
            if try await teach(learning, note).paused { throw Trouble.learningPaused }
        }
    }

    /// A note is shown whether or not something can be learnt from it or kept of it.
    private func attempt(_ body: @escaping @Sendable (Learning) async throws -> Void) {
        inTurn { note in
            do {
                note.trouble = nil
                try await body(note.learning)
            } catch {
                note.trouble = Trouble(error)
            }
        }
    }

    /// One after the other, as the person did it.
    private func inTurn(_ body: @escaping @MainActor (NoteModel) async -> Void) {
        let before = lesson
        lesson = Task {
            await before?.value
            await body(self)
        }
    }

    /// Ends the recording.
    public func stop() {
        listener?.stop()
    }

    /// Stops everything; what was said stays.
    public func cancel() {
        listener?.stop()
        work?.cancel()
        phase = .idle
    }

    /// Shows what a point or an action rests on, and plays it where its sound was kept; a second time hides it again.
    public func showEvidence(_ ids: [Int]) {
        evidence = evidence == Set(ids) ? [] : Set(ids)
        player.stop()
        // The loudspeaker would be heard by the microphone.
        guard phase != .listening, let sound, let seconds = segments.seconds(of: evidence) else { return }
        if FileManager.default.fileExists(atPath: sound.path) { player.play(sound, seconds) }
    }

    /// Waits until nothing is being done.
    public func settle() async {
        await work?.value
        await lesson?.value
    }

    private func begin(_ phase: Phase) {
        cancel()
        player.stop()
        self.phase = phase
        (sound, shown, isWanted) = (nil, nil, nil)
        (segments, hearing, summary, label, evidence, done) = ([], "", nil, nil, [], [])
    }

    private func run(_ body: @escaping @MainActor (NoteModel) async throws -> Void) {
        let before = work
        work = Task {
            await before?.value
            let end: Phase
            do {
                try await body(self)
                end = .idle
            } catch is CancellationError {
                end = .idle
            } catch {
                end = .failed(Trouble(error).rawValue)
            }
            // Who cancels says what comes next.
            if !Task.isCancelled { phase = end }
        }
    }

    /// Takes down what is heard, until it ends. Returns the note, and what has ended it too early, if anything has.
    private func hear(
        _ utterances: AsyncThrowingStream<Utterance, any Error>,
        into new: SavedNote
    ) async -> (note: SavedNote, failure: (any Error)?) {
        var note = new
        do {
            for try await utterance in utterances {
                try Task.checkCancellation()
                hearing = utterance.isFinal ? "" : utterance.text
                if utterance.isFinal { try await take(utterance, into: &note) }
            }
            return (note, nil)
        } catch {
            return (note, error)
        }
    }

    private func take(_ utterance: Utterance, into note: inout SavedNote) async throws {
        let said = VoiceNote.Segment(text: utterance.text, start: utterance.start, end: utterance.end)
        segments = VoiceNote.segments(segments + [said]).segments
        // There was no word in it.
        guard segments != note.segments else { return }
        try session?.append(said)
        let before = note
        note.segments = segments
        try await keep(note, after: before)
    }

    /// Keeps a note as soon as more of it is said: if the app is ended, or another note opened, it can be summarized later.
    private func keep(_ note: SavedNote, after before: SavedNote) async throws {
        guard !before.segments.isEmpty else { return try await store.save(note) }
        // If it has a summary by now, that is one of a part.
        try await store.update(before) { ($0.segments, $0.summary, $0.done) = (note.segments, nil, nil) }
    }

    /// Gives what was said so far to the model as soon as that is loaded; ``hear(_:)`` gives it the rest.
    private func readAlong(
        loading model: @MainActor () async throws -> LocalModel
    ) async throws -> (LocalModel, NoteSession) {
        let model = try await model()
        let session = try model.noteSession()
        for segment in segments { try session.append(segment) }
        self.session = session
        return (model, session)
    }

    private func write(
        _ task: SottoTask<NoteSummary, NoteSummary>,
        with model: LocalModel,
        into note: SavedNote
    ) async throws {
        for try await snapshot in task {
            try Task.checkCancellation()
            summary = snapshot
        }
        if let metrics = summary?.metrics { speeds.add(metrics) }
        try await store.update(note) { [summary] in $0.summary = summary }
        let fitting = try await labelFitting(note, by: model)
        try await store.update(note) { $0.label = fitting }
        try Task.checkCancellation()
        label = fitting
    }

    /// A note that cannot be sorted has no label: it is too long for that, or memory is short.
    private func labelFitting(_ note: SavedNote, by model: LocalModel) async throws -> String? {
        do {
            return try await learning.label(of: note, by: model)
        } catch let error as SottoError {
            trouble = [.learningDamaged, .learningInUse].first { $0 == Trouble(error) }
            return nil
        }
    }
}
