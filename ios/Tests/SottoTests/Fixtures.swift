import Foundation
import Sotto
import Testing

/// The tests run one after the other, since some watch the threads and the memory of the whole process.
@Suite(.serialized) enum AllTests {}

let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

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

func demo(_ options: LoadOptions = LoadOptions(cacheFolder: nil)) async throws -> LocalModel {
    try await LocalModel.load(.file(demoFile), options: options)
}

func wide(_ options: LoadOptions = LoadOptions(cacheFolder: nil)) async throws -> LocalModel {
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
    /// Swift's own threads that were there before a test, see ``passOverStrays()``. One test runs at a time.
    nonisolated(unsafe) private var strays: Set<String> = []

    /// To be called before a test. A thread of Swift's that is started where a request tells something new inherits the
    /// name of the request's thread, and lives on: before a test, none works on a request.
    func passOverStrays() {
        strays = Set(threads().keys)
    }

    /// The names of the library's threads that work on a request now.
    func runningJobs() -> [String] {
        threads().filter { !strays.contains($0.key) }.map(\.value)
    }

    /// Threads that are called like requests, by their numbers in the system; engine threads are numbered in their names.
    private func threads() -> [String: String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let named = tasks.compactMap { task in
            (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)).map { (task, $0.dropLast()) }
        }
        let requests = named.filter { $0.1.hasPrefix("sotto-") && $0.1.last?.isLetter == true }
        return Dictionary(uniqueKeysWithValues: requests.map { ($0.0, String($0.1)) })
    }

    /// Waits until a request is worked on.
    func untilBusy() async throws {
        let start = ContinuousClock.now
        while runningJobs().isEmpty {
            try #require(start.duration(to: .now) < .seconds(20), "nothing has begun")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Cancels a task, and tells how long it went on from there.
    func timeToEnd<Value>(_ task: Task<Value, any Error>) async -> Duration {
        let start = ContinuousClock.now
        task.cancel()
        _ = await task.result
        return start.duration(to: .now)
    }

    /// Native work must end within 100 ms. A machine that pauses is not ours to blame: nine of ten must.
    func expectPrompt(_ times: [Duration], sourceLocation: SourceLocation = #_sourceLocation) throws {
        try #require(times.count >= 10, sourceLocation: sourceLocation)
        let late = times.filter { $0 >= .milliseconds(100) }
        #expect(late.count <= times.count / 10, "native work went on: \(times)", sourceLocation: sourceLocation)
        #expect(late.allSatisfy { $0 < .seconds(1) }, "native work went on: \(times)", sourceLocation: sourceLocation)
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
