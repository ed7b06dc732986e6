import Foundation
import Sotto
import SottoFallback
import Testing

private let label = "{\"label\": \"task\"}"

/// Longer than the demo model reads.
private let long = String(repeating: "The list is not here. ", count: 2000)

private func fallback(
    _ server: TestServer, whenever: Set<Whenever> = [.contextTooLong, .modelMissing]
) throws -> Fallback {
    Fallback(server: try ChatServer(server.url).send, model: "big", whenever: whenever)
}

/// A model that is not there.
private func missing() -> SharedModel {
    SharedModel { _ in try await LocalModel.load(.file(demoFile.appending(path: "nowhere.gguf"))) }
}

/// What each message of a request says.
private func said(_ request: TestRequest) throws -> [String] {
    let body = try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any]
    return (body?["messages"] as? [[String: Any]] ?? []).compactMap { $0["content"] as? String }
}

extension AllTests {
    @Suite struct AssistantTests {
        @Test func whatTheDeviceCanDoIsSentNowhere() async throws {
            let server = TestServer { $0.chat(label) }
            defer { server.stop() }
            let model = try await demo()
            let found = try await model.withFallback(try fallback(server)).classify("call Tom", into: labels)
            #expect(found.metrics.handedOver == nil)
            #expect(try await model.classify("call Tom", into: labels).label == found.label)
            let off = model.withFallback(try fallback(server, whenever: [.modelMissing]))
            await #expect {
                try await off.classify(long, into: labels)
            } throws: { if case .contextFull = $0 as? SottoError { true } else { false } }
            let noModel = missing().withFallback(try fallback(server, whenever: [.contextTooLong]))
            await #expect {
                try await noModel.classify("call Tom", into: labels)
            } throws: { if case .modelNotFound = $0 as? SottoError { true } else { false } }
            #expect(server.requests.isEmpty)
        }

        @Test func labelsComeFromTheServerWhenTheContextIsFullOrTheDeviceIsUnsure() async throws {
            let server = TestServer { $0.chat(label) }
            defer { server.stop() }
            let model = try await demo()
            let found = try await model.withFallback(try fallback(server)).classify(long, into: labels)
            #expect(found.label == "task" && found.confidence == 1 && found.metrics.handedOver == .contextTooLong)
            #expect(try said(try #require(server.requests.first)).last == long)
            for (than, reason) in [(1.0, HandoverReason.lowConfidence), (0.0, nil)] {
                let unsure = model.withFallback(try fallback(server, whenever: [.lowConfidence(than: than)]))
                #expect(try await unsure.classify("call Tom", into: labels).metrics.handedOver == reason)
            }
        }

        @Test func eachTaskDoesWithoutAModel() async throws {
            struct Errand: Decodable, Equatable {
                let who: String
                let day: String?
            }
            let extracting = TestServer { $0.chat("{\"day\": null, \"who\": \"Tom\"}") }
            defer { extracting.stop() }
            let errand: Errand = try await missing().withFallback(try fallback(extracting)).extract(from: "call Tom")
            #expect(errand == Errand(who: "Tom", day: nil))

            let written =
                "Title: a test\nOverview: a test\nPoints:\n- a rocket\nActions:\n- write a test\n  owner: Marcus\n"
            let summarizing = TestServer { connection in
                connection.begin()
                for character in written { connection.delta(String(character)) }
                connection.write("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
            }
            defer { summarizing.stop() }
            let note = VoiceNote.text("Marcus will write a test by Thursday.")
            let task = missing().withFallback(try fallback(summarizing)).summarize(note)
            var snapshots: [NoteSummary] = []
            for try await snapshot in task { snapshots.append(snapshot) }
            let summary = try await task.value
            #expect(snapshots.count > 3 && snapshots.last == summary)
            #expect(summary.title == "A test" && summary.points.isEmpty && summary.metrics?.handedOver == .modelMissing)
            #expect(summary.actions.map(\.text) == ["write a test"] && summary.actions.first?.owner == "Marcus")
        }

        @Test func aConversationGoesOnWithAllThatWasSaid() async throws {
            let server = TestServer { $0.chat("Good evening to you.") }
            defer { server.stop() }
            let model = try await demo(LoadOptions(cacheFolder: nil, contextLength: 128))
            let chat = model.withFallback(try fallback(server)).session("Be brief.")
            let short = ChatOptions(maxTokens: 8, sampling: .greedy)
            let first = try await chat.respond(to: "Hello", options: short)
            #expect(first.metrics.handedOver == nil)
            let question = String(repeating: "on and on ", count: 100)
            let task = chat.streamResponse(to: question, options: short)
            var pieces: [String] = []
            for try await piece in task { pieces.append(piece) }
            #expect(pieces.count > 2 && pieces.joined() == "Good evening to you. ")
            #expect(try await task.value.metrics.handedOver == .contextTooLong)
            _ = try await chat.respond(to: "And now?", options: short)
            let all = ["Be brief.", "Hello", first.text, question, "Good evening to you. ", "And now?"]
            #expect(try said(try #require(server.requests.last)) == all)
            #expect(chat.history.count == 3)
            await #expect {
                try await chat.respond(to: "Say a.", options: ChatOptions(format: .regex("a+")))
            } throws: { if case .contextFull = $0 as? SottoError { true } else { false } }
            #expect(server.requests.count == 2)
        }

        @Test func aFailureHasItsKindAndNoneOfTheTexts() async throws {
            let refusing = TestServer { $0.reply("429 Secret", "secret") }
            defer { refusing.stop() }
            let asked = missing().withFallback(try fallback(refusing))
            await #expect(throws: ServerError.refused(status: 429)) {
                try await asked.classify("private", into: labels)
            }
            await #expect(throws: ServerError.refused(status: 429)) { try await asked.session().respond(to: "private") }

            let answers: [(String, @Sendable (Connection) -> Void)] = [
                ("none of the labels", { $0.chat("{\"label\": \"secret\"}") }),
                ("not JSON", { $0.chat("It is a secret.") }),
                ("not a stream", { $0.reply("200 OK", "<html>secret</html>\n") }),
                ("does not end", { $0.reply("200 OK", "data: " + String(repeating: "x", count: 2 << 20)) }),
                (
                    "broke off",
                    {
                        $0.begin()
                        $0.delta("secret")
                    }
                ),
            ]
            for (why, answer) in answers {
                let server = TestServer(answer)
                defer { server.stop() }
                let asked = missing().withFallback(try fallback(server))
                await #expect {
                    try await asked.classify("private", into: labels)
                } throws: { error in
                    guard case .serverAnswer(let found) = error as? SottoError else { return false }
                    return found.contains(why) && !found.contains("secret") && !found.contains("private")
                }
            }
        }

        @Test func aCancelledAnswerClosesTheConnectionAndIsNotKept() async throws {
            let server = TestServer { connection in
                connection.begin()
                while connection.delta("drop ") { Thread.sleep(forTimeInterval: 0.005) }
            }
            defer { server.stop() }
            let chat = missing().withFallback(try fallback(server)).session()
            let received = Received()
            let answering = Task {
                for try await piece in chat.streamResponse(to: "Hello") { received.take(Data(piece.utf8)) }
            }
            try await until { received.text.count > 10 }
            let cancelled = Date()
            answering.cancel()
            _ = await answering.result
            try await until { server.ended != nil }
            let took = try #require(server.ended).timeIntervalSince(cancelled)
            #expect(took < 0.1, "closed after \(took) s")
            #expect(chat.history.isEmpty)
        }
    }
}
