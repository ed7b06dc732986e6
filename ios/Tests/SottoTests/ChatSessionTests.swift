import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct ChatSessionTests {
        @Test func aSessionRemembersAndComputesOnlyWhatIsNew() async throws {
            let session = try await demo().session("Be brief.")
            let first = try await session.respond(to: noteText, options: greedy)
            let second = try await session.respond(to: "Who has to write a test?", options: greedy)
            #expect(second.metrics.reusedTokens >= first.metrics.prefillTokens)
            #expect(second.metrics.prefillTokens < 40)
        }

        @Test func aResumedSessionGoesOnAndAPrewarmedOneHasReadIt() async throws {
            let model = try await demo()
            let question = "Who has to write a test?"
            let session = try await model.session("Be brief.")
            let answer = try await session.respond(to: noteText, options: greedy).text
            let expected = try await session.respond(to: question, options: greedy).text
            let resumed = try await model.resume("Be brief.", history: [ChatTurn(question: noteText, answer: answer)])
            try await resumed.prewarm()
            #expect(resumed.history == [ChatTurn(question: noteText, answer: answer)])
            let reply = try await resumed.respond(to: question, options: greedy)
            #expect(reply.text == expected)
            #expect(resumed.history.last == ChatTurn(question: question, answer: expected))
            let stored = try JSONEncoder().encode(resumed.history)
            #expect(try JSONDecoder().decode([ChatTurn].self, from: stored) == session.history)
            #expect(reply.metrics.reusedTokens > 30)
        }

        @Test func aSavedSessionGoesOnWithoutBeingReadAgainAndADamagedFileCostsNothingButThat() async throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).kv")
            defer { try? FileManager.default.removeItem(at: file) }
            let model = try await demo()
            let session = try await model.session("Be brief.")
            _ = try await session.respond(to: noteText, options: greedy)
            try await session.save(to: file)
            let question = "Who has to write a test?"
            let expected = try await session.respond(to: question, options: greedy)
            let history = Array(session.history.dropLast())
            model.trim()
            let resumed = try await model.resume("Be brief.", history: history, from: file)
            let reply = try await resumed.respond(to: question, options: greedy)
            #expect(reply.text == expected.text)
            #expect(reply.metrics.reusedTokens == expected.metrics.reusedTokens)
            model.trim()
            try Data(Data(contentsOf: file).dropLast()).write(to: file)
            let again = try await model.resume("Be brief.", history: history, from: file)
            let readAgain = try await again.respond(to: question, options: greedy)
            #expect(readAgain.text == expected.text)
            #expect(readAgain.metrics.reusedTokens == 0)
        }

        @Test func aForkGoesOnFromTheSamePlaceByItself() async throws {
            let session = try await demo().session("Be brief.")
            _ = try await session.respond(to: noteText, options: greedy)
            let used = try await session.contextUsed()
            let fork = try await session.fork()
            #expect(try await fork.contextUsed() == used)
            let question = "Who has to write a test?"
            let reply = try await fork.respond(to: question, options: greedy)
            #expect(reply.metrics.reusedTokens + 10 > used)
            #expect(try await session.contextUsed() == used)
            #expect(try await session.respond(to: question, options: greedy).text == reply.text)
        }

        @Test func piecesPutTogetherAreTheAnswer() async throws {
            let model = try await wide(LoadOptions(cacheFolder: nil, contextLength: 1024))
            func options(seed: UInt64) -> ChatOptions {
                ChatOptions(maxTokens: 100, sampling: Sampling(temperature: 1.5, seed: seed))
            }
            let reply = try await model.session().respond(to: "Hello", options: options(seed: 3))
            let pieces = try await model.session().streamResponse(to: "Hello", options: options(seed: 3)).collect()
            #expect(pieces.joined() == reply.text)
            var slowly: [String] = []
            for try await piece in try await model.session().streamResponse(to: "Hello", options: options(seed: 3)) {
                try await Task.sleep(for: .milliseconds(5))
                slowly.append(piece)
            }
            #expect(slowly == pieces)
            #expect(try await model.session().respond(to: "Hello", options: options(seed: 4)).text != reply.text)
        }

        static let texts = ["🎉👩‍👩‍👧‍👦🇪🇸 𝒳", "日本語の文章と漢字", "नमस्ते दुनिया, क्षत्रिय", "naïve Ærøskøbing", "مرحبا بالعالم"]

        @Test(arguments: texts) func charactersOfSeveralBytesNeverBreakBetweenPieces(text: String) async throws {
            let model = try await demo()
            let choice = ChatOptions(sampling: .greedy, format: .choice([text, "no way"]))
            let chosen = try await model.session(text).streamResponse(to: "Say \(text)", options: choice).collect()
            #expect([text, "no way"].contains(chosen.joined()))
            // Asked for it alone, the model has no choice.
            let forced = ChatOptions(format: .regex(text))
            let pieces = try await model.session().streamResponse(to: "Say it", options: forced).collect()
            #expect(Array(pieces.joined().utf8) == Array(text.utf8))
            #expect(pieces.count > 2, "the text came in one piece: nothing was tested")
            #expect(!(chosen + pieces).contains { $0.isEmpty || $0.contains("\u{FFFD}") })
        }

        @Test func anAnswerCanBeHeldToAFormat() async throws {
            let session = try await demo().session()
            func answer(_ format: AnswerFormat, maxTokens: Int = 512) async throws -> ChatReply {
                let options = ChatOptions(maxTokens: maxTokens, sampling: .greedy, format: format)
                return try await session.respond(to: "Well?", options: options)
            }
            #expect(["yes", "no"].contains(try await answer(.choice(["yes", "no"])).text))
            #expect(try await answer(.regex("[0-9]{3}")).text.wholeMatch(of: /[0-9]{3}/) != nil)
            #expect(try await answer(.lark(#"start: "a" "b""#)).text == "ab")
            #expect(try await answer(.regex("[a-z]{500}"), maxTokens: 5).finishReason == .maxTokens)
            #expect(try await answer(.regex("[a-z]{3}"), maxTokens: 5).finishReason == .complete)
            #expect([#""low""#, #""high""#].contains(try await answer(.jsonSchema(#"{"enum":["low","high"]}"#)).text))
        }

        @Test func anAnswerCutOffAtTheEndOfTheContextSaysSo() async throws {
            let session = try await demo(LoadOptions(cacheFolder: nil, contextLength: 64)).session()
            let long = ChatOptions(maxTokens: 500, format: .regex("[a-z]{500}"))
            #expect(try await session.respond(to: "Letters?", options: long).finishReason == .contextFull)
        }

        @Test func aCancelledAnswerLeavesTheSessionUsable() async throws {
            let session = try await wide(LoadOptions(cacheFolder: nil, contextLength: 2048)).session("Be brief.")
            for try await _ in session.streamResponse(to: "Tell me a story.", options: endless) { break }
            let asking = Task { try await session.respond(to: "And another?", options: endless) }
            try await Task.sleep(for: .milliseconds(30))
            asking.cancel()
            await #expect(throws: CancellationError.self) { try await asking.value }
            let reply = try await session.respond(to: "Hello?", options: ChatOptions(maxTokens: 4))
            #expect(reply.metrics.reusedTokens > 5, "the conversation was forgotten")
        }

        @Test func aSessionOutlivesTheReferenceToItsModel() async throws {
            var model: LocalModel? = try await demo()
            let session = try await model?.session()
            model = nil
            #expect(try await #require(session).respond(to: "Hello", options: greedy).metrics.prefillTokens > 0)
        }
    }
}
