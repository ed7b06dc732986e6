import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An OpenAI-compatible server (llama.cpp's, vLLM, ollama), whose ``send(_:onBytes:)`` the SDK's `Fallback` takes.
///
/// What is sent goes to this server and nowhere else: redirects are not followed. Cancelling closes the connection.
public struct ChatServer: Sendable {
    private let completions: URL
    private let apiKey: String?
    private let silence: Double

    /// A server at `url`, without `/v1/chat/completions`: over TLS (`https`), or within this machine. `apiKey` is sent as a bearer token.
    /// `silence` is the longest time without a piece of the reply, in seconds; the server reads the whole text before its first.
    ///
    /// - Throws: ``ServerError/invalidServer(why:)``.
    public init(_ url: URL, apiKey: String? = nil, silence: Double = 120) throws {
        guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: true), let host = parts.host, !host.isEmpty,
            ["https", "http"].contains(parts.scheme)
        else { throw ServerError.invalidServer(why: "a web address is needed, such as https://models.example") }
        guard parts.user == nil, parts.password == nil else {
            throw ServerError.invalidServer(why: "leave the password out of the address, and pass a key")
        }
        guard parts.scheme == "https" || Self.isLoopback(host) else {
            throw ServerError.invalidServer(why: "texts are only sent over TLS (https), or within this machine")
        }
        guard apiKey?.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) != false else {
            throw ServerError.invalidServer(why: "the key has characters that no key has")
        }
        (parts.query, parts.fragment) = (nil, nil)
        while parts.path.hasSuffix("/") { parts.path.removeLast() }
        parts.path += "/v1/chat/completions"
        guard let completions = parts.url else {
            throw ServerError.invalidServer(why: "a web address is needed, such as https://models.example")
        }
        (self.completions, self.apiKey, self.silence) = (completions, apiKey, silence)
    }

    private static func isLoopback(_ host: String) -> Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
        return ["localhost", "::1", "[::1]"].contains(host) || isIPv4 && numbers[0] == "127"
    }

    /// Posts `body`, a JSON text, and passes the bytes of the reply to `onBytes`. It returns at the end of the reply.
    ///
    /// - Throws: ``ServerError``, what `onBytes` throws, or `CancellationError` when the task is cancelled.
    public func send(_ body: String, onBytes: @escaping @Sendable (Data) throws -> Void) async throws {
        var request = URLRequest(url: completions)
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if let apiKey { request.setValue("Bearer \(apiKey)", forHTTPHeaderField: "Authorization") }
        try await Exchange(onBytes).run(request, silence: silence)
    }
}
