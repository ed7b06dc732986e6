/// A question with its history, which is kept elsewhere.
struct Exchange: Equatable, Sendable {
    var instructions: String?
    var history: [ChatTurn] = []
    var question: String
}

/// Answers questions in a conversation whose history is kept elsewhere and passed in each time.
///
/// As long as the history is only extended, one session answers, and only new tokens are computed. If the history was
/// changed, a new session begins.
actor Conversation {
    private let model: LocalModel
    private var session: ChatSession?
    private var instructions: String?
    private var history: [ChatTurn] = []

    init(_ model: LocalModel) {
        self.model = model
    }

    /// Reads what comes before a question.
    func prewarm(instructions: String?, history: [ChatTurn]) async throws {
        try await session(instructions: instructions, history: history).prewarm()
    }

    /// The complete answer. `onText` receives its pieces as they arrive.
    func answer(
        _ exchange: Exchange,
        options: ChatOptions,
        onText: @Sendable (String) async -> Void
    ) async throws -> ChatReply {
        let session = try await session(instructions: exchange.instructions, history: exchange.history)
        // If the answer is not finished, its form in the next history is unknown.
        self.session = nil
        let work = try session.start(exchange.question, options: options)
        while let piece = try await work.next() { await onText(piece) }
        let reply = try await work.value()
        self.session = session
        history.append(ChatTurn(question: exchange.question, answer: reply.text))
        return reply
    }

    private func session(instructions: String?, history: [ChatTurn]) async throws -> ChatSession {
        if let session, self.instructions == instructions, self.history == history { return session }
        let session = try await model.resume(instructions, history: history)
        self.session = session
        self.instructions = instructions
        self.history = history
        return session
    }
}
