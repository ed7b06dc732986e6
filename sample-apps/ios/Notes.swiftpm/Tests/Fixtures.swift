import DemoModel
import Foundation
import NotesModel
import Sotto

/// What a person says, word for word.
struct Script: Listener {
    let said: [Utterance]
    var failure: (any Error)?

    func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error> {
        AsyncThrowingStream { continuation in
            said.forEach { continuation.yield($0) }
            continuation.finish(throwing: failure)
        }
    }

    func stop() {}

    /// Each sentence is heard word by word before it is certain.
    init(_ sentences: [String], failure: (any Error)? = nil) {
        self.failure = failure
        said = sentences.enumerated().flatMap { index, sentence in
            let words = sentence.split(separator: " ")
            let partial = (1..<words.count).map { words.prefix($0).joined(separator: " ") }
            return partial.map { Utterance(text: $0, isFinal: false) }
                + [Utterance(text: sentence, start: Double(index), end: Double(index + 1), isFinal: true)]
        }
    }
}

/// Says what a test says, until it is stopped.
final class Speaker: Listener, Sendable {
    private let (stream, continuation) = AsyncThrowingStream<Utterance, any Error>.makeStream()

    func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error> {
        // A few samples are as good as any.
        try? Data([1, 2]).write(to: file)
        return stream
    }

    /// Tells whether it was not stopped yet.
    @discardableResult func say(_ sentence: String, _ seconds: ClosedRange<Double>? = nil) -> Bool {
        let said = Utterance(text: sentence, start: seconds?.lowerBound, end: seconds?.upperBound, isFinal: true)
        if case .terminated = continuation.yield(said) { return false }
        return true
    }

    func stop() { continuation.finish() }
}

/// Tells what it is to play.
@MainActor final class Playlist: Player {
    private(set) var played: [ClosedRange<Double>] = []
    private(set) var file: URL?
    private(set) var isPlaying = false

    func play(_ file: URL, _ seconds: ClosedRange<Double>) {
        played.append(seconds)
        (self.file, isPlaying) = (file, true)
    }

    func stop() { isPlaying = false }
}

/// Waits until something is so; ten seconds later, the test fails.
@MainActor func soon(_ isSo: () async -> Bool) async throws {
    let start = ContinuousClock.now
    while start.duration(to: .now) < .seconds(10) {
        if await isSo() { return }
        try await Task.sleep(for: .milliseconds(1))
    }
    throw Late()
}

private struct Late: Error {}

let sentences = ["Marcus will write the report by Thursday.", "The clinic moves to the second floor in May."]

/// A folder for one test.
func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("notes-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

/// The demo model, loaded once for all tests.
@MainActor enum Shared {
    private static let loading = Task {
        try await LocalModel.load(.file(DemoModel.url), options: LoadOptions(cacheFolder: nil))
    }

    static func model() async throws -> LocalModel { try await loading.value }
}
