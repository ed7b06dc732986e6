import Foundation
import Testing

@testable import Sotto

extension AllTests {
    /// Where `SOTTO_REAL_MODELS` names a folder with a speech model, that one listens; what transcribes is tested with the library.
    @Suite struct SpeechTests {
        #if os(Linux)
            init() { passOverStrays() }
        #endif

        @Test func aFileThatIsNoSpeechModelSaysSo() async throws {
            await #expect(throws: SottoError.self) { try await Speech.load(.path("/nowhere/ggml-base.bin")) }
            await #expect(throws: SottoError.self) { try await Speech.load(.path("/nowhere"), threads: 0) }
            await #expect(throws: SottoError.self) { try await Speech.memory(of: .path("/nowhere/ggml-base.bin")) }
        }

        @Test func aTranscriptIsANoteWithItsIdsAndTimes() throws {
            let json = """
                {"language":"en","segments":[{"id":1,"start":0.5,"end":2,"text":"Buy milk.","noSpeech":0,"meanLogProbability":-0.1}],
                "metrics":{"audioSeconds":2,"windowSeconds":2,"windows":1,"seconds":0.2,"realTimeFactor":0.1,"privateBytes":0}}
                """
            let transcript = try JSONDecoder().decode(SpeechTranscript.self, from: Data(json.utf8))
            let note = VoiceNote.transcript(transcript)
            #expect(note.segments == [.init(id: 1, text: "Buy milk.", start: 0.5, end: 2)])
        }

        @Test func whatIsListenedToIsWhatIsTranscribed() async throws {
            guard let folder = ProcessInfo.processInfo.environment["SOTTO_REAL_MODELS"] else {
                return print("SKIPPED: listening in Swift: SOTTO_REAL_MODELS is not set")
            }
            let speech = try await Speech.load(.path(folder + "/ggml-base-q5_1.bin"))
            #expect(try speech.memory().weights > 0)
            let samples = try recording(folder + "/librivox-0930.wav")
            let whole = try await speech.transcribe(.samples(Samples(samples))).value
            #expect(whole.segments.count == 1)

            let pieces = stride(from: 0, to: samples.count, by: 4_800).map {
                Samples(Array(samples[$0..<min($0 + 4_800, samples.count)]))
            }
            let microphone = AsyncStream { continuation in
                pieces.forEach { continuation.yield($0) }
                continuation.finish()
            }
            let note = try await demo().noteSession()
            let heard = try await speech.listen(to: microphone).into(note)
            #expect(heard.segments == whole.segments)
            #expect(note.note == .transcript(whole))
        }

        @Test func whatEndsAMicrophoneEarlyIsTold() async throws {
            guard let folder = ProcessInfo.processInfo.environment["SOTTO_REAL_MODELS"] else {
                return print("SKIPPED: broken microphones in Swift: SOTTO_REAL_MODELS is not set")
            }
            struct Broken: Error {}
            let speech = try await Speech.load(.path(folder + "/ggml-base-q5_1.bin"))
            let broken = AsyncThrowingStream<Samples, any Error> { $0.finish(throwing: Broken()) }
            await #expect(throws: Broken.self) { try await speech.listen(to: broken).value }
            let noSound = AsyncStream { $0.yield(Samples([Float.nan])) }
            await #expect(throws: SottoError.self) { try await speech.listen(to: noSound).value }
            let (silent, _) = AsyncStream.makeStream(of: Samples.self)
            let listening = Task { try await speech.listen(to: silent).value }
            try await Task.sleep(for: .milliseconds(50))
            listening.cancel()
            await #expect(throws: CancellationError.self) { try await listening.value }
        }

        @Test func whatAModelTakesIsKnownBeforeItIsLoadedAndIsGivenBack() async throws {
            guard let folder = ProcessInfo.processInfo.environment["SOTTO_REAL_MODELS"] else {
                return print("SKIPPED: a speech model's memory in Swift: SOTTO_REAL_MODELS is not set")
            }
            let file = ModelFile.path(folder + "/ggml-base-q5_1.bin")
            let before = try await Speech.memory(of: file)
            let speech = try await Speech.load(file)
            let loaded = try speech.memory()
            #expect(before.weights == loaded.weights && before.recognizer == loaded.recognizer)
            let audio = Audio.samples(Samples(try recording(folder + "/librivox-0930.wav")))
            let whole = try await speech.transcribe(audio).value
            try speech.trim()
            #expect(try await speech.transcribe(audio).value.segments == whole.segments)
        }

        /// In place of a platform's decoder.
        private final class Pieces: DecodedAudio, @unchecked Sendable {
            let format = PCMFormat()
            let seconds: Double?
            private var left: ArraySlice<Int16>
            private let failure: SottoError?

            init(_ samples: [Int16], failure: SottoError? = nil) {
                (left, seconds, self.failure) = (samples[...], Double(samples.count) / 16_000, failure)
            }

            func next() throws -> Samples? {
                if left.isEmpty, let failure { throw failure }
                defer { left = left.dropFirst(16_384) }
                return left.isEmpty ? nil : Samples(Array(left.prefix(16_384)))
            }
        }

        @Test func whatThePlatformDecodesIsTranscribedAsItsSamplesAre() async throws {
            guard let folder = ProcessInfo.processInfo.environment["SOTTO_REAL_MODELS"] else {
                return print("SKIPPED: decoded files in Swift: SOTTO_REAL_MODELS is not set")
            }
            let speech = try await Speech.load(.path(folder + "/ggml-base-q5_1.bin"))
            let samples = try recording(folder + "/librivox-0930.wav")
            let whole = try await speech.transcribe(.samples(Samples(samples))).value
            let decoded = SottoTask<TranscriptPart, SpeechTranscript> {
                try speech.work(on: Pieces(samples), options: TranscribeOptions())
            }
            var confirmed: [TranscriptSegment] = []
            for try await part in decoded {
                confirmed += part.confirmed
                #expect(part.audioSeconds == Double(samples.count) / 16_000)
            }
            #expect(confirmed == whole.segments)

            let damaged = SottoError.invalidInput(what: "the recording cannot be used: it is damaged")
            let failing = SottoTask<TranscriptPart, SpeechTranscript> {
                try speech.work(on: Pieces(samples, failure: damaged), options: TranscribeOptions())
            }
            await #expect(throws: damaged) { try await failing.value }
        }

        @Test func channelsBecomeTheirMean() {
            func mix(_ channels: [[Float]]) -> [Float] {
                let buffers = channels.map { channel in
                    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: channel.count)
                    _ = copy.initialize(from: channel)
                    return UnsafeBufferPointer(copy)
                }
                defer { buffers.forEach { $0.deallocate() } }
                return mono(buffers)
            }
            #expect(mix([[0.5, -1]]) == [0.5, -1])
            #expect(mix([[0.5, -1], [1, 1]]) == [0.75, 0])
            #expect(mix([[1], [1], [1], [-1]]) == [0.5])
            #expect(mix([]) == [])
        }

        private func recording(_ path: String) throws -> [Int16] {
            let data = try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(44)
            return data.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        }
    }
}
