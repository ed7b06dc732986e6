import Sotto
import Testing

extension AllTests {
    @Suite struct ConcurrencyTests {
        #if os(Linux)
            init() { passOverStrays() }
        #endif

        @Test func eightAtOnceGetWhatEachGetsAlone() async throws {
            let model = try await demo()
            let work: [@Sendable () async throws -> String] = [
                { "\(try await model.summarize(note).value.withoutMetrics)" },
                { "\(try await model.summarize(note).collect().map(\.withoutMetrics))" },
                { "\(try await model.classify("Buy milk.", into: labels).scores)" },
                {
                    let results = try await model.classifyAll(["Buy milk.", "Sale!"], into: labels).collect()
                    return "\(try results.map { try $0.get().scores })"
                },
                { "\(try await model.extract(TasksTests.Priority.self, from: "now").value)" },
                { try await model.session().respond(to: "Hello", options: greedy).text },
                { "\(try await model.session().streamResponse(to: noteText, options: greedy).collect())" },
                { "\(try await model.inspect(contextLength: 64).privateBytes)" },
            ]
            var alone: [String] = []
            for one in work { alone.append(try await one()) }
            for _ in 0..<3 {
                let together = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                    for (index, one) in work.enumerated() {
                        group.addTask { (index, try await one()) }
                    }
                    return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
                }
                #expect(work.indices.map { together[$0] } == alone)
            }
        }

        @Test func aGroupThatIsCancelledStopsAllItsWork() async throws {
            let model = try await wide()
            let session = try await model.session()
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<7 {
                        group.addTask { _ = try await session.respond(to: "Tell me a story.", options: endless) }
                    }
                    group.addTask {
                        try await Task.sleep(for: .milliseconds(50))
                        throw CancellationError()
                    }
                    for try await _ in group {}
                }
            }
            #if os(Linux)
                #expect(try await timeUntilQuiet() < .seconds(1))
            #endif
        }

        #if os(Linux)
            @Test func aThousandLoadsLeaveNoMemoryBehind() async throws {
                func cycles(_ count: Int) async throws {
                    for index in 0..<count {
                        let model = try await demo()
                        guard index % 10 == 0 else { continue }
                        _ = try await model.session().respond(to: "Hi", options: ChatOptions(maxTokens: 1))
                    }
                }
                try await cycles(200)
                let before = try privateMemory()
                try await cycles(1000)
                let grown = try privateMemory() - before
                print(
                    "private memory after 1,000 loads: \(grown / 1024) KiB more than after 200, of \(before / 1024) KiB"
                )
                #expect(grown < 4 << 20, "private memory grew by \(grown) bytes")
                try await timeUntilQuiet()
            }
        #endif
    }
}
