import Foundation
import Sotto
import Testing

/// The tests run one after the other, since some watch the threads and the memory of the whole process.
@Suite(.serialized) enum AllTests {}

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

let demoFile = root.appending(path: "sample-apps/demo-model/sotto-demo.gguf")

/// Two layers as wide as those of a real model, with random weights: `cargo xtask test-swift` makes it.
let wideFile = root.appending(path: "target/test-models/wide.gguf")

let labels = ["urgent", "task", "ignorable", "attention"]

let noteText = """
    Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by Thursday. \
    I need to send the release notes to Dana before lunch.
    """

let note = VoiceNote.text(noteText)

/// An answer that goes on for longer than any test.
let endless = ChatOptions(maxTokens: 2000, format: .regex("[a-z ]{2000}"))

let greedy = ChatOptions(maxTokens: 24, sampling: .greedy)

func demo(_ options: LoadOptions = LoadOptions()) async throws -> LocalModel {
    try await LocalModel.load(.file(demoFile), options: options)
}

func wide(_ options: LoadOptions = LoadOptions()) async throws -> LocalModel {
    try await LocalModel.load(.file(wideFile), options: options)
}

extension NoteSummary {
    var withoutMetrics: NoteSummary {
        var copy = self
        copy.metrics = nil
        return copy
    }
}

extension AsyncSequence {
    func collect() async throws -> [Element] {
        try await reduce(into: []) { $0.append($1) }
    }
}

/// Runs `body` with a new folder, which is gone afterwards.
func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sotto-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
}

func files(in folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
}

#if os(Linux)
    /// The names of the library's threads that work on a request now; engine threads are numbered.
    func runningJobs() -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        return names.map { $0.trimmingCharacters(in: .newlines) }
            .filter { $0.hasPrefix("sotto-") && $0.last?.isLetter == true }
    }

    /// Waits until no request is worked on, and tells how long that took.
    @discardableResult func timeUntilQuiet() async throws -> Duration {
        let start = ContinuousClock.now
        while !runningJobs().isEmpty {
            try #require(start.duration(to: .now) < .seconds(20), "still at work: \(runningJobs())")
            try await Task.sleep(for: .milliseconds(1))
        }
        return start.duration(to: .now)
    }

    /// Resident private memory of this process, in bytes.
    func privateMemory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
#endif
