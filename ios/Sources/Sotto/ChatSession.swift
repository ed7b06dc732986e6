import Foundation
internal import SottoFFI

/// Why an answer ended.
public enum FinishReason: String, CaseIterable, Codable, Hashable, Sendable {
    /// The model ended the answer, or the format allows nothing more.
    case complete
    /// The answer was cut off at its limit of tokens: allow more (``ChatOptions/maxTokens``), or ask the model to go on.
    case maxTokens
    /// The answer was cut off at the end of the context: start a new conversation, or load the model with a longer context
    /// (``LoadOptions/contextLength``).
    case contextFull
    /// The model wanted to call tools once more than it may, which is eight times: ask more precisely, or give it fewer tools.
    case tooManyToolCalls
}

/// A finished answer.
public struct ChatReply: Hashable, Sendable {
    /// What the model wrote, without its calls of tools.
    public var text: String
    /// Why the answer ended, and so whether it is complete.
    public var finishReason: FinishReason
    /// Time, tokens and memory it took.
    public var metrics: Metrics

    /// A reply.
    public init(text: String, finishReason: FinishReason = .complete, metrics: Metrics) {
        self.text = text
        self.finishReason = finishReason
        self.metrics = metrics
    }
}

/// A question and its answer.
public struct ChatTurn: Codable, Hashable, Sendable {
    /// The user's message.
    public var question: String
    /// The model's answer.
    public var answer: String
    /// The tools that the model called before its answer, in order.
    public var calls: [ChatToolUse]

    /// A turn.
    public init(question: String, answer: String, calls: [ChatToolUse] = []) {
        self.question = question
        self.answer = answer
        self.calls = calls
    }

    /// Also reads what was stored without `calls`.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        question = try values.decode(String.self, forKey: .question)
        answer = try values.decode(String.self, forKey: .answer)
        calls = try values.decodeIfPresent([ChatToolUse].self, forKey: .calls) ?? []
    }

    init(_ ffi: FfiTurn) {
        self.init(question: ffi.question, answer: ffi.answer, calls: ffi.calls.map(ChatToolUse.init))
    }

    var ffi: FfiTurn {
        FfiTurn(question: question, calls: calls.map(\.ffi), answer: answer)
    }
}

/// A conversation. It keeps its history, and only new tokens are computed.
///
/// It answers one question at a time; a second question waits for the first. Of a cancelled answer, the part written so
/// far is kept. An answer that failed or had no words yet leaves the conversation unchanged. Its memory is freed once
/// nothing refers to it or to one of its answers.
public actor ChatSession {
    private nonisolated let ffi: FfiSession

    init(_ ffi: FfiSession) {
        self.ffi = ffi
    }

    /// The questions and answers so far, to store them and to continue later with
    /// ``LocalModel/resume(_:history:tools:)``. A question that is being answered is not among them.
    public nonisolated var history: [ChatTurn] {
        ffi.history().map(ChatTurn.init)
    }

    /// Reads instructions and history now, so that the first answer comes sooner.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func prewarm() async throws {
        try await Work(try translated { try ffi.prewarm() }, value: { $0 }).value()
    }

    /// A copy of the conversation, which goes on by itself from here; nothing is read again. Waits for a running answer.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func fork() async throws -> ChatSession {
        try await Work(try translated { try ffi.fork() }, value: ChatSession.init).value()
    }

    /// Saves what the model has read and computed of the conversation, for ``LocalModel/resume(_:history:tools:from:)``: 32 KiB a token in Llama
    /// 3.2 1B, half of it with ``LoadOptions/KVType/q8``. The file appears whole or not at all, replaces one that is there, and is left out of
    /// backups. Waits for a running answer.
    ///
    /// The file contains what was said: delete it together with the conversation. Store the ``history``, too: the file does not replace it.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func save(to file: URL) async throws {
        try await Work(try translated { try ffi.save(file: file.path) }, value: { $0 }).value()
        #if canImport(Darwin)
            var (file, values) = (file, URLResourceValues())
            values.isExcludedFromBackup = true
            try? file.setResourceValues(values)
        #endif
    }

    /// How many tokens of the context the conversation takes, including its instructions; ``LocalModel/contextLength`` is the limit. Waits
    /// for a running answer.
    ///
    /// - Throws: ``SottoError``.
    public func contextUsed() async throws -> Int {
        Int(try translated { try ffi.contextUsed() })
    }

    /// The same conversation, with these adapters for the next answers instead of the current ones. The conversation is
    /// then read again.
    ///
    /// - Throws: ``SottoError``.
    public nonisolated func withAdapters(_ adapters: [ScaledAdapter]) throws -> ChatSession {
        ChatSession(try translated { try ffi.withAdapters(adapters: adapters.map(\.ffi)) })
    }

    /// Asks something and returns the complete answer.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func respond(to text: String, options: ChatOptions = ChatOptions()) async throws -> ChatReply {
        try await streamResponse(to: text, options: options).value
    }

    /// Asks something. The elements are the pieces of the answer, which never split a character; the value is the complete
    /// answer, with the reason for its end.
    public nonisolated func streamResponse(
        to text: String,
        options: ChatOptions = ChatOptions()
    ) -> SottoTask<String, ChatReply> {
        SottoTask { [self] in try start(text, options: options) }
    }

    nonisolated func start(_ text: String, options: ChatOptions) throws -> Work<String, ChatReply> {
        let job = try ffi.respond(text: text, options: try options.ffi())
        return Work(job, snapshot: { $0 }, value: ChatReply.init)
    }
}

extension ChatReply {
    init(_ ffi: FfiReply) {
        self.init(text: ffi.text, finishReason: FinishReason(ffi.finishReason), metrics: Metrics(ffi.metrics))
    }
}

extension FinishReason {
    fileprivate init(_ ffi: FfiFinishReason) {
        self =
            switch ffi {
            case .complete: .complete
            case .maxTokens: .maxTokens
            case .contextFull: .contextFull
            case .tooManyToolCalls: .tooManyToolCalls
            }
    }
}
