internal import SottoFFI

/// An answer that has not been asked for yet: iterate over it for its pieces, whole characters each, or await its
/// ``Request/value``, the whole answer.
public typealias ResponseStream = Request<String, Reply>

/// A finished answer of a session.
public struct Reply: Hashable, Sendable {
    /// What the model wrote.
    public var text: String
    /// What it cost.
    public var metrics: Metrics

    /// A reply.
    public init(text: String, metrics: Metrics) {
        self.text = text
        self.metrics = metrics
    }
}

/// A question, and what was answered.
public struct Turn: Codable, Hashable, Sendable {
    /// What was said to the model.
    public var question: String
    /// What it wrote.
    public var answer: String

    /// A turn.
    public init(question: String, answer: String) {
        self.question = question
        self.answer = answer
    }
}

/// A conversation: it remembers what was said, and computes only what is new.
///
/// Answers are given one after the other; a second question waits for the first. A cancelled answer is remembered as
/// far as it went; one that failed, or had no words yet, leaves the conversation as it was before. Its memory is free
/// once nothing refers to it, nor to an answer of it.
public actor Session {
    private nonisolated let ffi: FfiSession

    init(_ ffi: FfiSession) {
        self.ffi = ffi
    }

    /// Reads instructions and history now, so that the first question has less to wait for.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func prewarm() async throws {
        try await Work(try translated { try ffi.prewarm() }, value: { $0 }).value()
    }

    /// The same conversation, whose next answers are computed with these adapters of the model in place of those before.
    /// What was said is read again then.
    ///
    /// - Throws: ``SottoError``.
    public nonisolated func withAdapters(_ adapters: [ScaledAdapter]) throws -> Session {
        Session(try translated { try ffi.withAdapters(adapters: adapters.map(\.ffi)) })
    }

    /// Says something, and gives the whole answer.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func respond(to text: String, options: ChatOptions = ChatOptions()) async throws -> Reply {
        try await streamResponse(to: text, options: options).value
    }

    /// Says something each time that the result is iterated over or awaited, and streams the answer.
    public nonisolated func streamResponse(to text: String, options: ChatOptions = ChatOptions()) -> ResponseStream {
        Request { [self] in try start(text, options: options) }
    }

    nonisolated func start(_ text: String, options: ChatOptions) throws -> Work<String, Reply> {
        let job = try ffi.respond(text: text, options: try options.ffi())
        return Work(job, snapshot: { $0 }, value: { Reply(text: $0.text, metrics: Metrics($0.metrics)) })
    }
}
