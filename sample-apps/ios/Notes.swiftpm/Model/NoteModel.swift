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

    /// The labels that a note is sorted into.
    public static let labels = ["urgent", "task", "idea", "diary"]

    /// What is being done.
    public private(set) var phase = Phase.idle
    /// What was said, as far as it is certain.
    public private(set) var segments: [VoiceNote.Segment] = []
    /// What is being said, and may still change.
    public private(set) var hearing = ""
    /// The summary, which grows while it is written.
    public private(set) var summary: NoteSummary?
    /// Which of ``labels`` fits; `nil` also when none fits well enough.
    public private(set) var label: String?
    /// The segments that the chosen point or action rests on.
    public private(set) var evidence: Set<Int> = []
    /// How fast the latest summaries were.
    public private(set) var speeds = Speeds()

    private let store: NoteStore
    private var listener: (any Listener)?
    private var work: Task<Void, Never>?

    /// No note yet; those to come are kept in `store`.
    public init(store: NoteStore) {
        self.store = store
    }

    /// Listens until ``stop()``, while the model reads along; then writes the summary.
    public func record(from listener: any Listener, model: @escaping @MainActor () async throws -> LocalModel) {
        begin(.listening)
        self.listener = listener
        run { note in
            let model = try await model()
            let session = model.noteSession()
            for try await utterance in listener.utterances() {
                note.hearing = utterance.isFinal ? "" : utterance.text
                guard utterance.isFinal else { continue }
                try session.append(
                    VoiceNote.Segment(text: utterance.text, start: utterance.start, end: utterance.end)
                )
                note.segments = session.note.segments
            }
            note.phase = .summarizing
            try await note.write(session.finish(), with: model)
        }
    }

    /// Summarizes what was said before.
    public func open(_ saved: SavedNote, model: @escaping @MainActor () async throws -> LocalModel) {
        begin(.summarizing)
        segments = saved.segments
        if saved.summary != nil {
            (summary, label, phase) = (saved.summary, saved.label, .idle)
            return
        }
        run { note in
            let model = try await model()
            try await note.write(model.summarize(.segments(saved.segments)), with: model, into: saved)
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
    }

    /// Shows what a point or an action rests on; a second time hides it again.
    public func showEvidence(_ ids: [Int]) {
        evidence = evidence == Set(ids) ? [] : Set(ids)
    }

    /// Waits until nothing is being done.
    public func settle() async {
        await work?.value
    }

    private func begin(_ phase: Phase) {
        cancel()
        self.phase = phase
        (segments, hearing, summary, label, evidence) = ([], "", nil, nil, [])
    }

    private func run(_ body: @escaping @MainActor (NoteModel) async throws -> Void) {
        let before = work
        work = Task {
            await before?.value
            do {
                try await body(self)
                phase = .idle
            } catch is CancellationError {
                phase = .idle
            } catch {
                phase = .failed(message(for: error))
            }
        }
    }

    private func write(_ request: Summary, with model: LocalModel, into saved: SavedNote? = nil) async throws {
        var saved = saved ?? SavedNote(segments: segments)
        guard !saved.segments.isEmpty else { return }
        // Kept before it is summarized: if the app is ended meanwhile, the background task goes on from here.
        try await store.save(saved)
        for try await snapshot in request {
            summary = snapshot
        }
        if let metrics = summary?.metrics { speeds.add(metrics) }
        let classification = try await model.classify(saved.transcript, into: Self.labels)
        label = classification.abstained ? nil : classification.label
        (saved.summary, saved.label) = (summary, label)
        try await store.save(saved)
    }
}
