import DemoModel
import Foundation
import NotesModel
import Sotto
import Testing

@MainActor struct NoteModelTests {
    let folder: URL
    let store: NoteStore
    let player = Playlist()
    let learning: Learning
    let note: NoteModel

    init() throws {
        folder = try temporaryFolder()
        store = NoteStore(folder: folder)
        learning = Learning(file: folder.appendingPathComponent("learning/personal"))
        note = NoteModel(store: store, player: player, learning: learning)
    }

    @Test func aSpokenNoteIsSummarizedAndKept() async throws {
        note.record(from: Script(sentences), model: Shared.model)
        #expect(note.phase == .listening)
        await note.settle()

        #expect(note.phase == .idle)
        #expect(note.segments.map(\.text) == sentences)
        #expect(note.segments.map(\.id) == [1, 2])
        #expect(note.segments.last?.end == 2)
        #expect(note.hearing.isEmpty)
        let expected = try await Shared.model().summarize(.segments(note.segments)).value
        #expect(note.summary?.plainText == expected.plainText)
        #expect(note.speeds.runs.count == 1)
        let kept = await store.notes()
        #expect(kept.map(\.summary) == [note.summary])
        #expect(kept.first?.label == note.label)
    }

    @Test func aPastedTranscriptIsSummarizedWithItsTimesAndKept() async throws {
        note.read("WEBVTT\n\n00:04.000 --> 00:07.500\n<v Priya>\(sentences[0])", model: Shared.model)
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.segments.map(\.text) == [sentences[0]])
        #expect(note.segments.map(\.start) == [4])
        #expect(note.segments.map(\.speaker) == ["Priya"])
        #expect(note.summary != nil)
        #expect(await store.notes().map(\.summary) == [note.summary])
    }

    @Test func aTypedNoteIsSummarizedAndMakesRoomForTheNext() async throws {
        let draft = Draft()
        for text in ["", " \n", "[Music]"] {
            draft.text = text
            #expect(!draft.hasWords)
        }
        draft.text = sentences.joined(separator: "\n")
        #expect(draft.hasWords)
        note.read(draft.take(), model: Shared.model)
        #expect(draft.text.isEmpty)
        await note.settle()
        #expect(note.segments.map(\.text) == sentences)
        #expect(await store.notes().map(\.summary) == [note.summary])
    }

    @Test func whatIsTickedOffStaysSo() async throws {
        note.read(sentences[0], model: Shared.model)
        await note.settle()
        let action = try #require(note.summary?.actions.first?.id)
        note.tick(action)
        #expect(note.done == [action])
        await note.settle()

        let later = NoteModel(store: NoteStore(folder: folder), player: player, learning: learning)
        let saved = try #require(await store.notes().first)
        later.open(saved, model: never)
        #expect(later.done == [action])
        later.tick(action)
        later.tick(7)
        later.tick(7)
        await later.settle()
        #expect(await store.note(saved.id)?.done == [])
        note.read(sentences[1], model: Shared.model)
        #expect(note.done.isEmpty)
        await note.settle()
    }

    @Test func aFileIsReadInItsOwnEncoding() async throws {
        let file = folder.appending(path: "shared.txt")
        try sentences.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf16)
        note.read(contentsOf: file, model: Shared.model)
        await note.settle()
        #expect(note.segments.map(\.text) == sentences)
        #expect(note.summary != nil)
    }

    @Test(arguments: ["", "[Music]\n(inaudible)"]) func withoutWordsNothingIsKept(text: String) async throws {
        note.read(text, model: never)
        await note.settle()
        #expect(note.phase == .failed(Trouble.textUnusable.rawValue))
        #expect(await store.notes().isEmpty)
    }

    @Test func stoppingEndsTheRecording() async throws {
        note.record(from: Speaker(), model: Shared.model)
        note.stop()
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.segments.isEmpty)
        #expect(await store.notes().isEmpty)
    }

    @Test func whatIsSaidWhileTheModelIsLoadedIsNotLost() async throws {
        note.record(from: Script(sentences)) { [note] in
            try await soon { note.segments.count == 2 }
            return try await Shared.model()
        }
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.segments.map(\.text) == sentences)
        let expected = try await Shared.model().summarize(.segments(note.segments)).value
        #expect(note.summary?.plainText == expected.plainText)
    }

    @Test func aRecordingCanBeStoppedBeforeItsModelIsLoaded() async throws {
        let speaker = Speaker()
        note.record(from: speaker) { [note] in
            try await soon { note.phase == .summarizing }
            return try await Shared.model()
        }
        speaker.say(sentences[0])
        try await soon { note.segments.count == 1 }
        note.stop()
        speaker.say(sentences[1])
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.segments.map(\.text) == [sentences[0]])
        #expect(await store.notes().map(\.summary) == [note.summary])
        #expect(note.summary != nil)
    }

    /// A model that takes longer than any test.
    private func never() async throws -> LocalModel {
        try await Task.sleep(for: .seconds(600))
        throw CancellationError()
    }

    @Test func withoutAWordThereIsNothingToWaitFor() async throws {
        note.record(from: Speaker(), model: never)
        note.stop()
        await note.settle()
        #expect(note.phase == .idle)
        #expect(await store.notes().isEmpty)
    }

    @Test func aMicrophoneThatFailsIsToldAtOnce() async throws {
        note.record(from: Script([], failure: SottoError.unsupported(what: "A microphone")), model: never)
        await note.settle()
        guard case .failed = note.phase else { throw Unexpected() }
    }

    @Test func aNoteIsKeptWhenItsModelCannotBeLoaded() async throws {
        note.record(from: Script(sentences)) { throw SottoError.unsupported(what: "Another model") }
        await note.settle()
        guard case .failed = note.phase else { throw Unexpected() }
        #expect(await store.notes().map(\.transcript) == [sentences.joined(separator: " ")])
    }

    @Test func whatWasHeardBeforeTheMicrophoneFailedIsSummarizedAndKept() async throws {
        note.record(from: Script(sentences, failure: SottoError.unsupported(what: "A microphone")), model: Shared.model)
        await note.settle()
        guard case .failed = note.phase else { throw Unexpected() }
        #expect(note.summary != nil)
        let kept = await store.notes()
        #expect(kept.map(\.transcript) == [sentences.joined(separator: " ")])
        #expect(kept.map(\.summary) == [note.summary])
    }

    @Test func whatIsSaidIsKeptAtOnce() async throws {
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[0])
        try await soon { await store.notes().map(\.transcript) == [sentences[0]] }
        // The background task may come meanwhile: what it makes is the summary of a part.
        #expect(try await store.summarizePending(with: Shared.model()) == 1)
        speaker.say("")
        speaker.say(sentences[1])
        try await soon { await store.notes().map(\.segments) == [note.segments] && note.segments.count == 2 }
        #expect(await store.notes().first?.summary == nil)
        note.stop()
        await note.settle()
        #expect(await store.notes().map(\.summary) == [note.summary])
        #expect(note.summary != nil)
    }

    @Test func aNoteThatIsLeftForAnotherWhileItIsSpokenIsKept() async throws {
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[0])
        try await soon { note.segments.count == 1 }
        note.record(from: Script([]), model: Shared.model)
        await note.settle()
        #expect(note.segments.isEmpty)
        #expect(await store.notes().map(\.transcript) == [sentences[0]])
    }

    @Test func aNoteThatCannotBeKeptIsSummarizedAllTheSame() async throws {
        let file = folder.appendingPathComponent("file")
        try Data().write(to: file)
        let note = NoteModel(store: NoteStore(folder: file), player: player, learning: learning)
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[0])
        try await soon { if case .failed = note.phase { true } else { false } }
        #expect(note.summary != nil)
        #expect(!speaker.say(sentences[1]))
    }

    @Test func aNoteTooLongForALabelKeepsItsSummary() async throws {
        let options = LoadOptions(cacheFolder: nil, contextLength: 256)
        let model = try await LocalModel.load(.file(DemoModel.url), options: options)
        let long = Array(repeating: sentences[0], count: 60)
        await #expect(throws: SottoError.self) {
            try await model.classify(long.joined(separator: " "), into: Learning.labels)
        }
        note.record(from: Script(long)) { model }
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.summary != nil && note.label == nil)
        #expect(await store.notes().map(\.summary) == [note.summary])
    }

    @Test func aSummaryOutlivesACancelledLabel() async throws {
        note.record(from: Script(sentences), model: Shared.model)
        try await soon { !note.speeds.runs.isEmpty }
        note.cancel()
        await note.settle()
        #expect(note.phase == .idle)
        #expect(note.summary != nil)
        #expect(await store.notes().map(\.summary) == [note.summary])
    }

    @Test func aNoteThatIsDeletedWhileItIsSummarizedStaysDeleted() async throws {
        let saved = SavedNote(segments: VoiceNote.text(sentences[0]).segments)
        try await store.save(saved)
        note.open(saved) { [store] in
            try await store.delete(saved)
            return try await Shared.model()
        }
        await note.settle()
        #expect(note.phase == .idle && note.summary != nil)
        #expect(await store.notes().isEmpty)
    }

    @Test func aNoteThatIsDeletedWhileItIsSpokenStaysDeleted() async throws {
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[0])
        try await soon { await !store.notes().isEmpty }
        for saved in await store.notes() { try await store.delete(saved) }
        speaker.say(sentences[1])
        note.stop()
        await note.settle()
        #expect(note.segments.count == 2 && note.summary != nil)
        #expect(await store.notes().isEmpty)
    }

    @Test func aNoteThatIsDeletedWhileOthersAreSummarizedStaysDeleted() async throws {
        let (early, late) = (Date(timeIntervalSince1970: 1), Date(timeIntervalSince1970: 2))
        let first = SavedNote(segments: VoiceNote.text(sentences[0]).segments, date: late)
        let second = SavedNote(segments: VoiceNote.text(sentences[1]).segments, date: early)
        for saved in [first, second] { try await store.save(saved) }
        async let done = store.summarizePending(with: Shared.model())
        try await soon { await store.note(first.id)?.summary != nil }
        try await store.delete(second)
        _ = try await done
        #expect(await store.notes().map(\.id) == [first.id])
    }

    @Test func anotherNoteIsNotDisturbedByTheOneBefore() async throws {
        note.record(from: Script(sentences), model: Shared.model)
        try await soon { note.summary != nil }
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[1])
        try await soon { !note.segments.isEmpty }
        #expect(note.phase == .listening && note.summary == nil)
        note.stop()
        await note.settle()
        #expect(note.segments.map(\.text) == [sentences[1]])
    }

    private struct Unexpected: Error {}

    @Test func whatWasSaidOutlivesACancelledSummary() async throws {
        note.record(from: Script(sentences), model: Shared.model)
        try await soon { note.summary != nil }
        note.cancel()
        await note.settle()
        #expect(note.phase == .idle)
        let pending = await store.notes()
        #expect(pending.map(\.transcript) == [sentences.joined(separator: " ")])
        #expect(pending.first?.summary == nil)

        #expect(try await store.summarizePending(with: Shared.model()) == 1)
        #expect(await store.notes().first?.summary != nil)
        #expect(try await store.summarizePending(with: Shared.model()) == 0)
    }

    @Test func aNoteWithoutSummaryGetsOneWhenItIsOpened() async throws {
        let saved = SavedNote(segments: VoiceNote.text(sentences[0]).segments)
        try await store.save(saved)
        note.open(saved, model: Shared.model)
        await note.settle()
        #expect(note.summary != nil)
        let kept = await store.notes()
        #expect(kept.map(\.id) == [saved.id])

        let other = NoteModel(store: store, player: player, learning: learning)
        other.open(kept[0]) { throw CancellationError() }
        #expect(other.summary == kept[0].summary)
        #expect(other.phase == .idle)
    }

    @Test func failuresSayWhatCanBeDone() async throws {
        note.record(from: Script(sentences)) { throw SottoError.outOfMemory(needed: 2, available: 1) }
        await note.settle()
        #expect(
            note.phase == .failed("There is not enough memory. Close other apps, or choose a smaller model."))
        #expect(note.segments.count == 2)
    }

    @Test func evidenceIsShownAndHidden() {
        note.showEvidence([2, 1])
        #expect(note.evidence == [1, 2])
        note.showEvidence([1])
        #expect(note.evidence == [1])
        note.showEvidence([1])
        #expect(note.evidence.isEmpty)
    }

    @Test func evidenceIsPlayedWhereItsSoundWasKept() async throws {
        let speaker = Speaker()
        note.record(from: speaker, model: Shared.model)
        speaker.say(sentences[0], 0...2)
        speaker.say(sentences[1], 3...5.5)
        try await soon { note.segments.count == 2 }
        note.showEvidence([1])
        #expect(player.played == [], "the microphone would hear it")
        note.stop()
        await note.settle()
        note.showEvidence([2])
        #expect(player.played == [3...5.5] && player.isPlaying)
        note.showEvidence([2])
        #expect(!player.isPlaying)
        note.showEvidence([1, 2])
        #expect(player.played.last == 0...5.5)

        let kept = try #require(await store.notes().first)
        #expect(player.file == store.sound(of: kept.id))
        note.open(kept, model: never)
        #expect(!player.isPlaying)
        note.showEvidence([1])
        #expect(player.played.last == 0...2)
        try await store.delete(kept)
        #expect(!FileManager.default.fileExists(atPath: store.sound(of: kept.id).path))
        note.showEvidence([2])
        #expect(player.played.count == 3 && !player.isPlaying, "its sound is gone")
    }

    @Test func withoutAWordNoSoundIsKept() async throws {
        note.record(from: Speaker(), model: never)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
        note.stop()
        await note.settle()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func aPastedNoteHasNoSound() async throws {
        note.read("WEBVTT\n\n00:04.000 --> 00:07.500\n\(sentences[0])", model: Shared.model)
        await note.settle()
        note.showEvidence([1])
        #expect(note.evidence == [1] && player.played == [])
    }
}
