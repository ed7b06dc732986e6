import Sotto
import Testing

extension AllTests {
    @Suite struct NoteSessionTests {
        #if os(Linux)
            init() { passOverStrays() }
        #endif

        private func hear(_ model: LocalModel, pause: Duration = .zero) async throws -> NoteSession {
            let session = try model.noteSession()
            for segment in note.segments {
                try session.append(segment)
                try await Task.sleep(for: pause)
            }
            return session
        }

        @Test func aNoteThatWasHeardIsSummarizedAsOneThatWasReadAndSooner() async throws {
            let model = try await demo()
            let expected = try await model.summarize(note).collect().map(\.withoutMetrics)
            // A busy machine reads slowly; one that never reads ahead fails at every pace.
            for pause in [50, 300, 2000] {
                let summary = try await hear(model, pause: .milliseconds(pause)).finish().collect()
                #expect(summary.map(\.withoutMetrics) == expected)
                if let metrics = summary.last?.metrics, metrics.prefillTokens <= 6 { return }
            }
            Issue.record("more than six tokens were left for the end")
        }

        @Test func onceItHasEndedNothingCanBeAppended() async throws {
            let session = try await hear(try await demo())
            #expect(session.note == note)
            let summary = session.finish()
            try session.append(.init(text: "Buy milk, too."))
            let actions = try await summary.value.actions
            #expect(throws: SottoError.self) { try session.append(.init(text: "Too late.")) }
            #expect(session.note.segments.count == 5)
            #expect(try await session.finish().value.actions == actions)
        }

        @Test func aCancelledEndCanBeAskedForAgain() async throws {
            let model = try await demo()
            let session = try await hear(model)
            for try await _ in session.finish() { break }
            let ending = Task { try await session.finish().value }
            try await Task.sleep(for: .milliseconds(5))
            ending.cancel()
            _ = await ending.result
            #expect(try await session.finish().value.actions == model.summarize(note).value.actions)
        }

        #if os(Linux)
            private let long = VoiceNote.Segment(
                text: String(repeating: "Marcus will write a test for it by Thursday. ", count: 25)
            )

            @Test func appendingNeverWaitsForTheModelAndLettingGoStopsIt() async throws {
                let model = try await wide()
                var times: [Duration] = []
                for index in 0..<10 {
                    var session: NoteSession? = try model.noteSession()
                    let appended = try ContinuousClock().measure {
                        try session?.append(long)
                        try session?.append(long)
                    }
                    #expect(appended < .milliseconds(50))
                    try await Task.sleep(for: .milliseconds(30 + 40 * index))
                    #expect(runningJobs().contains("sotto-listen"))
                    session = nil
                    times.append(try await timeUntilQuiet())
                }
                try expectPrompt(times)
            }

            @Test func anEndThatWaitsForAnotherStopsAndTheOtherGoesOn() async throws {
                let session = try await wide().noteSession()
                // Many windows: the first end goes on for much longer than the waiting below, on fast machines, too.
                for _ in 0..<100 { try session.append(long) }
                var ending = session.finish().makeAsyncIterator()
                #expect(try await ending.next() != nil)
                var times: [Duration] = []
                for _ in 0..<10 {
                    let waiting = Task { try await session.finish().value }
                    try await Task.sleep(for: .milliseconds(20))
                    times.append(await timeToEnd(waiting))
                    await #expect(throws: CancellationError.self) { try await waiting.value }
                }
                try expectPrompt(times)
                #expect(runningJobs().contains("sotto-summarize"), "the first was over: nobody waited")
            }
        #endif
    }
}
