import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A request: its path, and the first byte that is asked for.
struct Request: Sendable {
    let path: String
    let from: Int
}

/// A server on the loopback address that does with each request what a test wants.
final class TestServer: @unchecked Sendable {
    private let socket: Int32
    private let answer: @Sendable (Request, Int32) -> Void
    private let lock = NSLock()
    private var seen: [Request] = []
    private(set) var port = 0

    var requests: [Request] { lock.withLock { seen } }
    var url: URL {
        var url = URLComponents()
        (url.scheme, url.host, url.port, url.path) = ("http", "127.0.0.1", port, "/models/model.gguf")
        guard let url = url.url else { preconditionFailure("an address") }
        return url
    }

    init(_ answer: @escaping @Sendable (Request, Int32) -> Void) {
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
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    private func serve(_ connection: Int32) {
        var (text, byte) = ([UInt8](), UInt8(0))
        while !text.suffix(4).elementsEqual("\r\n\r\n".utf8), read(connection, &byte, 1) == 1 { text.append(byte) }
        let lines = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n")
        let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
        let from = range.flatMap { Int($0.dropFirst(13).dropLast()) } ?? 0
        if let path = lines.first?.split(separator: " ").dropFirst().first {
            let request = Request(path: String(path), from: from)
            lock.withLock { seen.append(request) }
            answer(request, connection)
        }
        shutdown(connection, Int32(SHUT_RDWR))
        close(connection)
    }

    func stop() {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }
}

func reply(_ to: Int32, _ status: String, _ headers: [String: String] = [:], _ body: Data = Data()) {
    let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    let bytes = Data("HTTP/1.1 \(status)\r\n\(lines)Connection: close\r\n\r\n".utf8) + body
    bytes.withUnsafeBytes { bytes in
        var left = bytes[...]
        while !left.isEmpty {
            let count = UnsafeRawBufferPointer(rebasing: left).withMemoryRebound(to: UInt8.self) {
                write(to, $0.baseAddress, $0.count)
            }
            if count <= 0 { return }
            left = left.dropFirst(count)
        }
    }
}

/// As a server should: from where it is asked for.
func honest(_ request: Request, _ to: Int32, _ model: Data) {
    if request.from == 0 {
        reply(to, "200 OK", ["Content-Length": "\(model.count)"], model)
    } else if request.from >= model.count {
        reply(to, "416 Range Not Satisfiable", ["Content-Range": "bytes */\(model.count)"])
    } else {
        rest(to, request.from, model.count, model.dropFirst(request.from))
    }
}

func rest(_ to: Int32, _ from: Int, _ size: Int, _ body: Data) {
    let range = "bytes \(from)-\(size - 1)/\(size)"
    reply(to, "206 Partial Content", ["Content-Length": "\(size - from)", "Content-Range": range], body)
}
