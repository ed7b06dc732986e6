import Foundation
import NotesModel
import Sotto
import Testing

@MainActor struct NoteModelTests {
    let folder: URL
    let store: NoteStore
    let note: NoteModel

    init() throws {
        folder = try temporaryFolder()
        store = NoteStore(folder: folder)
        note = NoteModel(store: store)
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

        let other = NoteModel(store: store)
        other.open(kept[0]) { throw CancellationError() }
        #expect(other.summary == kept[0].summary)
        #expect(other.phase == .idle)
    }

    @Test func failuresSayWhatCanBeDone() async throws {
        note.record(
            from: Script(sentences, failure: SottoError.outOfMemory(needed: 2, available: 1)), model: Shared.model)
        await note.settle()
        #expect(
            note.phase
                == .failed(
                    "2 bytes of memory are needed, 1 can be had. Ask for a shorter context, or use a smaller model."))
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
}
