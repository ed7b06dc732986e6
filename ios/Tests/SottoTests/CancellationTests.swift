// The tests watch the library's threads through /proc.
#if os(Linux)
    import Foundation
    import Sotto
    import Testing

    extension AllTests {
        @Suite struct CancellationTests {
            init() { passOverStrays() }

            /// Long enough to keep a prefill busy for a second.
            let longText = String(repeating: "Marcus will write a test for it by Thursday. ", count: 60)

            /// Starts `work`, cancels it after `delay`, and tells how long the native work went on from there.
            private func cancel(
                after delay: Duration,
                _ work: @escaping @Sendable () async throws -> Void
            ) async throws -> Duration {
                let task = Task(operation: work)
                try await Task.sleep(for: delay)
                return try await timeToStop(task)
            }

            private func timeToStop(_ task: Task<Void, any Error>) async throws -> Duration {
                try await ContinuousClock().measure {
                    task.cancel()
                    _ = await task.result
                    try await timeUntilQuiet()
                }
            }

            @Test func aCancelledPrefillStops() async throws {
                let model = try await wide()
                var times: [Duration] = []
                for index in 0..<10 {
                    let task = Task { [longText] in
                        _ = try await model.classify(longText, into: labels)
                        Issue.record("the prefill was over before it could be cancelled")
                    }
                    try await untilBusy()
                    try await Task.sleep(for: .milliseconds(20 + 40 * index))
                    #expect(Set(runningJobs()) == ["sotto-classify"])
                    times.append(try await timeToStop(task))
                    await #expect(throws: CancellationError.self) { try await task.value }
                }
                try expectPrompt(times)
            }

            @Test func cancelledAtAnyMomentWorkStopsAndTheModelWorksOn() async throws {
                let model = try await demo()
                let expected = try await model.summarize(note).value.withoutMetrics
                let whole = try await ContinuousClock().measure { _ = try await model.summarize(note).value }
                var times: [Duration] = []
                for _ in 0..<40 {
                    let time = try await cancel(after: whole * Double.random(in: 0...1.1)) {
                        for try await _ in model.summarize(note) {}
                    }
                    times.append(time)
                }
                try expectPrompt(times)
                #expect(try await model.summarize(note).value.withoutMetrics == expected)
            }

            @Test func breakingOutOfALoopStopsTheWork() async throws {
                let session = try await wide().session()
                var times: [Duration] = []
                for _ in 0..<10 {
                    for try await _ in session.streamResponse(to: "Tell me a story.", options: endless) { break }
                    times.append(try await timeUntilQuiet())
                }
                try expectPrompt(times)
            }

            @Test func aLoopThatFailsStopsTheWork() async throws {
                struct Mine: Error {}
                let session = try await wide().session()
                var times: [Duration] = []
                for _ in 0..<10 {
                    await #expect(throws: Mine.self) {
                        for try await _ in session.streamResponse(to: "A story.", options: endless) { throw Mine() }
                    }
                    times.append(try await timeUntilQuiet())
                }
                try expectPrompt(times)
            }

            @Test func anIteratorThatIsLetGoStopsTheWork() async throws {
                let session = try await wide().session()
                var times: [Duration] = []
                for _ in 0..<10 {
                    var iterator: SottoTask<String, ChatReply>.Iterator? =
                        session.streamResponse(to: "Tell me a story.", options: endless).makeAsyncIterator()
                    #expect(try await iterator?.next() != nil)
                    #expect(Set(runningJobs()) == ["sotto-chat"])
                    iterator = nil
                    times.append(try await timeUntilQuiet())
                }
                try expectPrompt(times)
            }

            @Test func aQuestionThatWaitsForAnotherStopsAndTheOtherGoesOn() async throws {
                let session = try await wide().session("Be brief.")
                var answering = session.streamResponse(to: "A story.", options: endless).makeAsyncIterator()
                #expect(try await answering.next() != nil)
                var times: [Duration] = []
                for index in 0..<10 {
                    let waiting = Task {
                        guard index % 2 == 0 else { return try await session.prewarm() }
                        _ = try await session.respond(to: "And another?", options: endless)
                    }
                    try await Task.sleep(for: .milliseconds(20))
                    #expect(runningJobs().count == 2)
                    times.append(await timeToEnd(waiting))
                    await #expect(throws: CancellationError.self) { try await waiting.value }
                    #expect(try await answering.next() != nil)
                }
                try expectPrompt(times)
                #expect(runningJobs().contains("sotto-chat"), "the first was over: nobody waited")
            }

            @Test func aTaskThatNobodyAsksForDoesNothing() async throws {
                let session = try await wide().session()
                // The thread that has loaded the model may still be ending.
                try await timeUntilQuiet()
                let iterator = session.streamResponse(to: "Tell me a story.", options: endless).makeAsyncIterator()
                try await Task.sleep(for: .milliseconds(20))
                #expect(runningJobs().isEmpty)
                withExtendedLifetime(iterator) {}
            }

            @Test func cancelledWhileACopyIsPackedNothingIsLeft() async throws {
                try await withFolder { folder in
                    var times: [Duration] = []
                    for index in 0..<10 {
                        let time = try await cancel(after: .milliseconds(2 * index)) {
                            _ = try await wide(LoadOptions(cacheFolder: folder))
                        }
                        times.append(time)
                        let left = try files(in: folder)
                        #expect(left.allSatisfy { $0.pathExtension == "sotto" }, "an unfinished file is left")
                        for file in left { try FileManager.default.removeItem(at: file) }
                    }
                    try expectPrompt(times)
                }
            }

            @Test func aLoadThatPacksIntoMemoryStops() async throws {
                let whole = try await ContinuousClock().measure { _ = try await wide() }
                var times: [Duration] = []
                for index in 0..<10 {
                    times.append(try await cancel(after: whole * Double(index) / 10) { _ = try await wide() })
                }
                try expectPrompt(times)
            }

            @Test func loadingAndStartingSessionsCanBeCancelledAtAnyMoment() async throws {
                var times: [Duration] = []
                for _ in 0..<60 {
                    let time = try await cancel(after: .microseconds(.random(in: 0...20_000))) {
                        _ = try await demo().session().respond(to: "Hi", options: ChatOptions(maxTokens: 2))
                    }
                    times.append(time)
                }
                try expectPrompt(times)
                let result = try await demo().classify("The basement is flooding, come right now!", into: labels)
                #expect(result.label == "urgent")
            }
        }
    }
#endif
