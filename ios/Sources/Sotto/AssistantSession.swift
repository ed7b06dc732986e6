import Foundation
internal import SottoFFI

/// A conversation whose answers may come from a server of the app (``Assistant/session(_:)``): ``ChatReply/metrics`` says of each. The
/// server gets the instructions and the whole history with a question.
///
/// It answers one question at a time; a second question waits for the first.
public final class AssistantSession: Sendable {
    private let assistant: Assistant
    private let instructions: String?
    private let said: Said
    private let turns = Turns()

    init(_ assistant: Assistant, _ instructions: String?, _ history: [ChatTurn]) {
        self.assistant = assistant
        self.instructions = instructions
        said = Said(history)
    }

    /// The questions and answers so far, whoever gave them, to store them and to continue later with
    /// ``Assistant/resume(_:history:)``.
    public var history: [ChatTurn] { said.history }

    /// Asks something and returns the complete answer.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func respond(to text: String, options: ChatOptions = ChatOptions()) async throws -> ChatReply {
        try await streamResponse(to: text, options: options).value
    }

    /// Asks something. The elements are the pieces of the answer; the value is the complete answer. A server can be held to a JSON schema
    /// alone: with another ``ChatOptions/format``, nothing is handed over.
    public func streamResponse(
        to text: String,
        options: ChatOptions = ChatOptions()
    ) -> SottoTask<String, ChatReply> {
        SottoTask { [self] in
            Work(last: { _ in nil }) { [self] report in
                try await turns.one { [self] in
                    try await assistant.answered(mayHandOver: options.format?.isJSONSchema != false) { [self] model in
                        let session = try await onDevice(model)
                        let task = session.streamResponse(to: text, options: options)
                        for try await piece in task { report(piece) }
                        return try await task.value
                    } byServer: { [self] reason in
                        try await byServer(text, options, reason, report)
                    }
                }
            }
        }
    }

    private func onDevice(_ model: LocalModel) async throws -> ChatSession {
        if let session = said.session { return session }
        let resumed = try await model.resume(instructions, history: said.history)
        said.session = resumed
        return resumed
    }

    private func byServer(
        _ text: String, _ options: ChatOptions, _ reason: HandoverReason,
        _ report: @escaping @Sendable (String) -> Void
    ) async throws -> ChatReply {
        let (fallback, before) = (assistant.fallback, said.history)
        let call = try serverChat(
            instructions: instructions, history: before.map(\.ffi), question: text, options: try options.ffi(),
            serverModel: fallback.model, reason: reason.ffi)
        let reply = ChatReply(
            try await fallback.ask(call) { call, bytes in try call.read(bytes: bytes).forEach(report) })
        said.history = before + [ChatTurn(question: text, answer: reply.text)]
        return reply
    }
}

/// What was said, and where the device goes on.
private final class Said: @unchecked Sendable {
    private let lock = NSLock()
    private var turns: [ChatTurn]
    private var device: ChatSession?

    init(_ turns: [ChatTurn]) {
        self.turns = turns
    }

    /// None before the device's first answer, and after one of the server, which it has not read.
    var session: ChatSession? {
        get { lock.withLock { device } }
        set { lock.withLock { device = newValue } }
    }

    /// A change is one that the device has not read.
    var history: [ChatTurn] {
        get { lock.withLock { device?.history ?? turns } }
        set { lock.withLock { (turns, device) = (newValue, nil) } }
    }
}

/// Lets one in after the other.
private actor Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func one<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
        defer {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
        try Task.checkCancellation()
        return try await body()
    }
}
