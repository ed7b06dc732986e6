import Foundation
@testable import Sotto
import Testing

extension AllTests {
    @Suite struct ChatToolTests {
        private struct City: Decodable {
            var city: String
            var days: Int
        }

        private func weather(
            _ name: String = "weather",
            _ handler: @escaping @Sendable (City) async throws -> String = { _ in "rain" }
        ) -> ChatTool {
            ChatTool(name: name, description: "Tells the weather", handler)
        }

        @Test func argumentsGiveTheSchema() throws {
            #expect(try weather().ffi().parameters.contains("city"))
        }

        @Test func aConversationWithToolsAnswers() async throws {
            let session = try await demo().session("Be brief.", tools: [weather()])
            let reply = try await session.respond(to: "Hello", options: greedy)
            #expect(session.history.last?.answer == reply.text)
        }

        @Test func aHistoryWithCallsIsResumedAndBadOnesAreRefused() async throws {
            let model = try await demo()
            let call = ChatToolUse(name: "weather", arguments: #"{"city":"Oslo"}"#, result: "rain")
            let turn = ChatTurn(question: "Weather?", answer: "Rain.", calls: [call])
            #expect(try await model.resume(history: [turn]).history == [turn])
            let stored = try JSONEncoder().encode(turn)
            #expect(try JSONDecoder().decode(ChatTurn.self, from: stored) == turn)
            let old = #"{"question":"Hello?","answer":"Hi."}"#
            #expect(
                try JSONDecoder().decode(ChatTurn.self, from: Data(old.utf8))
                    == ChatTurn(question: "Hello?", answer: "Hi."))
            var broken = turn
            broken.calls[0].arguments = "{"
            await #expect(throws: SottoError.self) { try await model.resume(history: [broken]) }
            await #expect(throws: SottoError.self) { try await model.session(tools: [weather("two words")]) }
            await #expect(throws: SottoError.self) { try await model.session(tools: [weather(), weather()]) }
        }
    }
}
