import DemoModel
import Foundation
import Testing

@testable import NotesModel
@testable import Sotto

@MainActor struct SpeechTests {
    @Test func theSecondsOfEvidenceAreThoseOfItsFirstStretch() {
        let said = (1...5).map {
            VoiceNote.Segment(id: $0, text: "Said.", start: Double($0), end: Double($0) + 0.5)
        }
        #expect(said.seconds(of: [2]) == 2...2.5)
        #expect(said.seconds(of: [4, 3]) == 3...4.5)
        #expect(said.seconds(of: [2, 4, 5]) == 2...2.5)
        #expect(said.seconds(of: []) == nil && said.seconds(of: [9]) == nil)
        #expect([VoiceNote.Segment(id: 1, text: "Pasted.")].seconds(of: [1]) == nil)
    }

    @Test func whatIsCertainComesBeforeWhatMayChange() throws {
        func segment(_ id: Int, _ text: String) -> String {
            #"{"id":\#(id),"start":\#(id),"end":\#(id + 1),"text":"\#(text)","noSpeech":0,"meanLogProbability":0}"#
        }
        let all = try JSONDecoder().decode(
            [TranscriptSegment].self,
            from: Data("[\(segment(1, "Buy milk.")),\(segment(2, "Call")),\(segment(3, "Ann"))]".utf8)
        )
        let part = TranscriptPart(confirmed: [all[0]], tentative: Array(all[1...]), heardSeconds: 2)
        #expect(
            part.utterances == [
                Utterance(text: "Buy milk.", start: 1, end: 2, isFinal: true),
                Utterance(text: "Call Ann", isFinal: false),
            ]
        )
        #expect(TranscriptPart(confirmed: [], tentative: [], heardSeconds: 2).utterances == [])
    }

    @Test func aSpeechModelIsFoundInTheFolder() async throws {
        let folder = try temporaryFolder()
        let shelf = SpeechShelf(folder: folder)
        #expect(shelf.installed == nil)
        await #expect(throws: Trouble.modelNotFound) { try await shelf.speech() }
        let (first, second) = (folder.appending(path: "ggml-base.bin"), folder.appending(path: "ggml-tiny.bin"))
        for file in [second, first, folder.appending(path: "notes.gguf")] {
            try FileManager.default.copyItem(at: DemoModel.url, to: file)
        }
        #expect(shelf.installed?.lastPathComponent == first.lastPathComponent)
        do {
            _ = try await shelf.speech()
            Issue.record("it is no speech model")
        } catch {
            #expect(Trouble(error) == .modelDamaged)
        }
    }

    /// A recording, in place of the microphone.
    private struct Recording: Sound {
        let samples: [Int16]

        func samples(keptIn file: URL) -> AsyncThrowingStream<Samples, any Error> {
            AsyncThrowingStream { continuation in
                for at in stride(from: 0, to: samples.count, by: 4_800) {
                    continuation.yield(Samples(Array(samples[at..<min(at + 4_800, samples.count)])))
                }
                continuation.finish()
            }
        }

        func stop() {}
    }

    @Test func aNoteIsSpokenToASpeechModel() async throws {
        guard let real = ProcessInfo.processInfo.environment["SOTTO_REAL_MODELS"] else {
            return print("SKIPPED: a note for a speech model: SOTTO_REAL_MODELS is not set")
        }
        let folder = try temporaryFolder()
        let shelf = SpeechShelf(folder: folder)
        let (kept, model) = (folder.appending(path: "ggml-base-q5_1.bin"), real + "/ggml-base-q5_1.bin")
        try FileManager.default.createSymbolicLink(atPath: kept.path, withDestinationPath: model)
        let speech = try await shelf.speech()
        let sound = try Data(contentsOf: URL(fileURLWithPath: real + "/librivox-0930.wav")).dropFirst(44)
        let samples = sound.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        let note = NoteModel(
            store: NoteStore(folder: folder), player: Playlist(),
            learning: Learning(file: folder.appendingPathComponent("learning/personal")))
        let listener = ModelListener(to: Recording(samples: samples)) { try await shelf.speech() }
        note.record(from: listener, model: Shared.model)
        await note.settle()
        #expect(note.phase == .idle && note.hearing.isEmpty)
        #expect(note.segments.count == 1)
        let said = try #require(note.segments.first)
        let (start, end) = (try #require(said.start), try #require(said.end))
        #expect(start < end)
        #expect(note.summary != nil)
        // Its weights were given back for the summary: they are read again for the next note.
        try FileManager.default.removeItem(at: kept)
        do {
            _ = try await speech.transcribe(.samples(Samples(samples))).value
            Issue.record("the weights are still there")
        } catch {
            #expect(Trouble(error) == .modelNotFound)
        }
    }
}
