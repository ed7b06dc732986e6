import Testing

@testable import Sotto

extension AllTests {
    @Suite struct ConversationTests {
        private let brief = ChatOptions(maxTokens: 12, sampling: .greedy)

        private func exchange(_ history: [ChatTurn], _ question: String) -> Exchange {
            Exchange(instructions: "Be brief.", history: history, question: question)
        }

        @Test func aConversationThatGoesOnComputesOnlyWhatIsNew() async throws {
            let model = try await demo()
            let conversation = Conversation(model)
            try await conversation.prewarm(instructions: "Be brief.", history: [])
            let pieces = Collected<String>()
            let first = try await conversation.answer(exchange([], noteText), options: brief) { pieces.add($0) }
            #expect(pieces.all.joined() == first.text)
            let turn = ChatTurn(question: noteText, answer: first.text)
            let second = try await conversation.answer(exchange([turn], "Who?"), options: brief) { _ in }
            #expect(second.metrics.reusedTokens > first.metrics.prefillTokens)
            // Told by somebody who knows nothing of the session but its instructions, the answer is the same.
            let told = try await Conversation(model).answer(exchange([turn], "Who?"), options: brief) { _ in }
            #expect(told.text == second.text && told.metrics.reusedTokens < first.metrics.prefillTokens)
        }

        @Test func aPastThatWasChangedIsReadAnew() async throws {
            let model = try await demo()
            let conversation = Conversation(model)
            _ = try await conversation.answer(exchange([], noteText), options: brief) { _ in }
            let other = exchange([ChatTurn(question: noteText, answer: "No.")], "Who?")
            let answer = try await conversation.answer(other, options: brief) { _ in }
            #expect(try await answer.text == Conversation(model).answer(other, options: brief, onText: { _ in }).text)
        }

        @Test func aCancelledAnswerIsNotRemembered() async throws {
            let model = try await wide(LoadOptions(cacheFolder: nil, contextLength: 2048))
            let conversation = Conversation(model)
            let asking = Task { [exchange] in
                try await conversation.answer(exchange([], "Tell me a story."), options: endless) { _ in }
            }
            try await Task.sleep(for: .milliseconds(200))
            asking.cancel()
            await #expect(throws: CancellationError.self) { try await asking.value }
            let next = exchange([], "Hello?")
            let answer = try await conversation.answer(next, options: brief) { _ in }
            #expect(try await answer.text == Conversation(model).answer(next, options: brief, onText: { _ in }).text)
        }
    }
}
