import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A request: its first line and headers, and its body.
struct TestRequest: Sendable {
    let head: String
    let body: String
}

/// A server on the loopback address that does with each request what a test wants.
final class TestServer: @unchecked Sendable {
    private let socket: Int32
    private let answer: @Sendable (Connection) -> Void
    private let lock = NSLock()
    private var seen: [TestRequest] = []
    private var end: Date?
    private var port = 0

    var requests: [TestRequest] { lock.withLock { seen } }
    /// When the first connection was over.
    var ended: Date? { lock.withLock { end } }
    var url: URL {
        var url = URLComponents()
        (url.scheme, url.host, url.port, url.path) = ("http", "127.0.0.1", port, "/llm/")
        guard let url = url.url else { preconditionFailure("an address") }
        return url
    }

    init(_ answer: @escaping @Sendable (Connection) -> Void) {
        self.answer = answer
        signal(SIGPIPE, SIG_IGN)
        #if canImport(Darwin)
            socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #else
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(socket, $0, length) == 0 && listen(socket, 50) == 0)
                precondition(getsockname(socket, $0, &length) == 0)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [socket] in
            while true {
                let connection = accept(socket, nil, nil)
                if connection < 0 { return }
                Thread.detachNewThread { self.serve(Connection(socket: connection)) }
            }
        }
    }

    private func serve(_ connection: Connection) {
        let head = connection.read { $0.suffix(4).elementsEqual("\r\n\r\n".utf8) }
        let length = head.lowercased().components(separatedBy: "\r\n")
            .first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) }
        let body = connection.read { $0.count == length ?? 0 }
        lock.withLock { seen.append(TestRequest(head: head, body: body)) }
        answer(connection)
        lock.withLock { end = end ?? Date() }
        shutdown(connection.socket, Int32(SHUT_RDWR))
        close(connection.socket)
    }

    func stop() {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }
}

/// What a server says, and to whom.
struct Connection: Sendable {
    let socket: Int32

    /// The text up to where it `isWhole`, or to the end.
    func read(until isWhole: ([UInt8]) -> Bool) -> String {
        var (text, byte) = ([UInt8](), UInt8(0))
        while !isWhole(text), nextByte(socket, &byte) { text.append(byte) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Waits until the client has closed.
    func stall() {
        _ = read { _ in false }
    }

    /// Returns whether the client still listens.
    @discardableResult
    func write(_ text: String) -> Bool {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, 0) }
            if count <= 0 { return false }
            left = left.dropFirst(count)
        }
        return true
    }

    func reply(_ status: String, _ body: String = "", headers: String? = nil) {
        let headers = headers ?? "Content-Length: \(body.utf8.count)\r\n"
        write("HTTP/1.1 \(status)\r\n\(headers)Connection: close\r\n\r\n\(body)")
    }

    func begin() {
        reply("200 OK", headers: "Content-Type: text/event-stream\r\n")
    }

    @discardableResult
    func delta(_ text: String) -> Bool {
        let choice: [String: Any] = ["index": 0, "delta": ["content": text]]
        let json = (try? JSONSerialization.data(withJSONObject: ["choices": [choice]])) ?? Data()
        return write("data: \(String(decoding: json, as: UTF8.self))\n\n")
    }

    /// Streams a whole chat completion.
    func chat(_ text: String) {
        begin()
        for word in text.components(separatedBy: " ") { delta(word + " ") }
        write("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
    }
}

private func nextByte(_ socket: Int32, _ byte: inout UInt8) -> Bool {
    recv(socket, &byte, 1, 0) == 1
}
