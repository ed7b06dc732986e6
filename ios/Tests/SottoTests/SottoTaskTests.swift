import Sotto
import Testing

extension AllTests {
    @Suite struct SottoTaskTests {
        private let brief = ChatOptions(maxTokens: 8, sampling: .greedy)

        @Test func aTaskRunsOnceAndSaysSo() async throws {
            let model = try await demo()
            let session = try await model.session()
            let answer = session.streamResponse(to: "Hello", options: brief)
            let pieces = try await answer.collect()
            let reply = try await answer.value
            #expect(reply.text == pieces.joined())
            #expect(try await answer.value == reply)
            await #expect(throws: SottoError.self) { try await answer.collect() }
            #expect(session.history.count == 1, "the question was asked again")

            let summary = model.summarize(note)
            _ = try await summary.value
            do {
                _ = try await summary.collect()
                Issue.record("it ran again")
            } catch SottoError.invalidInput(let what) {
                #expect(what.contains("make a new one"))
            }
        }

        @Test func theValueCanBeAwaitedElsewhereMeanwhile() async throws {
            let summary = try await demo().summarize(note)
            var iterator = summary.makeAsyncIterator()
            var last = try await iterator.next()
            let value = Task { try await summary.value }
            let cancelled = Task { try await summary.value }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            while let snapshot = try await iterator.next() { last = snapshot }
            #expect(try await value.value == last)
        }

        @Test func aTaskThatWasStoppedHasNoValue() async throws {
            let session = try await wide().session()
            let left = session.streamResponse(to: "A story?", options: endless)
            for try await _ in left { break }
            await #expect(throws: SottoError.cancelled) { try await left.value }

            let stopped = session.streamResponse(to: "Another?", options: endless)
            let waiting = Task { try await stopped.value }
            try await Task.sleep(for: .milliseconds(300))
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            await #expect(throws: SottoError.cancelled) { try await stopped.value }
        }

        @Test func aTaskThatFailedFailsEachTime() async throws {
            let empty = try await demo().summarize(.text(" "))
            for _ in 0..<2 {
                await #expect(throws: SottoError.self) { try await empty.value }
            }
        }
    }
}
