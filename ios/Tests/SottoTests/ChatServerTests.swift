import Foundation
import SottoFallback
import Testing

/// Waits for at most ten seconds.
func until(_ holds: () -> Bool) async throws {
    let started = Date()
    while !holds() {
        try #require(Date().timeIntervalSince(started) < 10, "it does not come")
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}

/// Bytes, taken where they arrive.
final class Received: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes = Data()

    var text: String { lock.withLock { String(decoding: bytes, as: UTF8.self) } }

    func take(_ more: Data) {
        lock.withLock { bytes.append(more) }
    }
}

extension AllTests {
    @Suite struct ChatServerTests {
        private func send(_ server: TestServer, silence: Double = 10) async throws -> String {
            let received = Received()
            try await ChatServer(server.url, apiKey: "sk-hidden", silence: silence).send("{\"a\": \"ë\"}") {
                received.take($0)
            }
            return received.text
        }

        @Test func aRequestIsPostedOnceAndItsReplyPassedOn() async throws {
            let server = TestServer { $0.reply("200 OK", "data: [DONE]\n\n") }
            defer { server.stop() }
            #expect(try await send(server) == "data: [DONE]\n\n")
            let head = try #require(server.requests.first).head
            #expect(head.hasPrefix("POST /llm/v1/chat/completions HTTP/1.1") && head.contains("Bearer sk-hidden"))
            #expect(server.requests.map(\.body) == ["{\"a\": \"ë\"}"])
        }

        @Test(arguments: [302, 401, 404, 429, 500]) func aRefusalIsToldByItsStatus(_ status: Int) async throws {
            let server = TestServer {
                $0.reply("\(status) Secret", "secret", headers: "Location: /secret\r\nContent-Length: 6\r\n")
            }
            defer { server.stop() }
            await #expect(throws: ServerError.refused(status: status)) { try await send(server) }
            #expect(server.requests.count == 1)
        }

        @Test func aLostConnectionIsTold() async throws {
            let broken: [@Sendable (Connection) -> Void] = [
                { $0.reply("200 OK", "secret", headers: "Content-Length: 100\r\n") },
                { $0.reply("200 OK", "6\r\nsecret\r\n", headers: "Transfer-Encoding: chunked\r\n") },
                { $0.stall() },
            ]
            for answer in broken {
                let server = TestServer(answer)
                defer { server.stop() }
                await #expect {
                    try await send(server, silence: 1)
                } throws: { error in
                    guard case .unreachable(let why) = error as? ServerError else { return false }
                    return !why.contains("secret") && !why.contains("127.0.0.1")
                }
            }
        }

        @Test func cancellingClosesTheConnection() async throws {
            let does: [@Sendable (Connection) -> Void] = [
                { $0.stall() },
                { connection in
                    connection.begin()
                    connection.stall()
                },
                { connection in
                    connection.begin()
                    while connection.write(": drop\n") { Thread.sleep(forTimeInterval: 0.005) }
                },
            ]
            for answer in does {
                let server = TestServer(answer)
                defer { server.stop() }
                let sending = Task { try await send(server) }
                try await until { !server.requests.isEmpty }
                try await Task.sleep(nanoseconds: 200_000_000)
                let cancelled = Date()
                sending.cancel()
                await #expect(throws: CancellationError.self) { try await sending.value }
                try await until { server.ended != nil }
                let took = try #require(server.ended).timeIntervalSince(cancelled)
                #expect(took < 0.1, "closed after \(took) s")
            }
        }

        @Test func aReaderThatFailsEndsTheRequest() async throws {
            struct Refused: Error {}
            let server = TestServer { connection in
                connection.begin()
                connection.write(": drop\n")
                connection.stall()
            }
            defer { server.stop() }
            await #expect(throws: Refused.self) {
                try await ChatServer(server.url).send("{}") { _ in throw Refused() }
            }
            try await until { server.ended != nil }
        }

        @Test func textsGoOverTLSOrStayOnThisMachine() throws {
            for address in [
                "http://a.example", "http://192.168.1.7:8080", "http://127.0.0.1.example", "https://u:p@a.example",
                "ftp://a",
            ] {
                let url = try #require(URL(string: address))
                #expect(throws: ServerError.self, "\(address)") { try ChatServer(url) }
            }
            for address in ["https://a.example", "http://localhost:1234", "http://127.0.0.1", "http://[::1]:1"] {
                _ = try ChatServer(try #require(URL(string: address)))
            }
            let url = try #require(URL(string: "https://a.example"))
            #expect(throws: ServerError.self) { try ChatServer(url, apiKey: "sk-hidden\n") }
        }
    }
}
