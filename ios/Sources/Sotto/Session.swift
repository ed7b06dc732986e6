internal import SottoFFI

/// A lazy answer: iterate over it for its pieces, which never split a character, or await its ``Request/value``, the
/// complete answer.
public typealias ResponseStream = Request<String, Reply>

/// A finished answer of a session.
public struct Reply: Hashable, Sendable {
    /// What the model wrote.
    public var text: String
    /// Time, tokens and memory it took.
    public var metrics: Metrics

    /// A reply.
    public init(text: String, metrics: Metrics) {
        self.text = text
        self.metrics = metrics
    }
}

/// A question and its answer.
public struct Turn: Codable, Hashable, Sendable {
    /// The user's message.
    public var question: String
    /// The model's answer.
    public var answer: String

    /// A turn.
    public init(question: String, answer: String) {
        self.question = question
        self.answer = answer
    }
}

/// A conversation. It keeps its history, and only new tokens are computed.
///
/// It answers one question at a time; a second question waits for the first. Of a cancelled answer, the part written so
/// far is kept. An answer that failed or had no words yet leaves the conversation unchanged. Its memory is freed once
/// nothing refers to it or to one of its answers.
public actor Session {
    private nonisolated let ffi: FfiSession

    init(_ ffi: FfiSession) {
        self.ffi = ffi
    }

    /// Reads instructions and history now, so that the first answer comes sooner.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func prewarm() async throws {
        try await Work(try translated { try ffi.prewarm() }, value: { $0 }).value()
    }

    /// The same conversation, with these adapters for the next answers instead of the current ones. The conversation is
    /// then read again.
    ///
    /// - Throws: ``SottoError``.
    public nonisolated func withAdapters(_ adapters: [ScaledAdapter]) throws -> Session {
        Session(try translated { try ffi.withAdapters(adapters: adapters.map(\.ffi)) })
    }

    /// Asks something and returns the complete answer.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func respond(to text: String, options: ChatOptions = ChatOptions()) async throws -> Reply {
        try await streamResponse(to: text, options: options).value
    }

    /// Asks something each time the result is iterated over or awaited, and streams the answer.
    public nonisolated func streamResponse(to text: String, options: ChatOptions = ChatOptions()) -> ResponseStream {
        Request { [self] in try start(text, options: options) }
    }

    nonisolated func start(_ text: String, options: ChatOptions) throws -> Work<String, Reply> {
        let job = try ffi.respond(text: text, options: try options.ffi())
        return Work(job, snapshot: { $0 }, value: { Reply(text: $0.text, metrics: Metrics($0.metrics)) })
    }
}
