/// A question, with all that was said before it, as somebody else keeps it.
struct Exchange: Equatable, Sendable {
    var instructions: String?
    var history: [Turn] = []
    var question: String
}

/// Answers questions of a conversation that somebody else keeps, and who tells it anew each time.
///
/// As long as it goes on where it was, one session answers, and computes only what is new. When the past was changed, another
/// session begins.
actor Conversation {
    private let model: LocalModel
    private var session: Session?
    private var instructions: String?
    private var history: [Turn] = []

    init(_ model: LocalModel) {
        self.model = model
    }

    /// Reads what comes before a question.
    func prewarm(instructions: String?, history: [Turn]) async throws {
        try await session(instructions: instructions, history: history).prewarm()
    }

    /// The whole answer; its pieces go to `onText` as they come.
    func answer(
        _ exchange: Exchange,
        options: ChatOptions,
        onText: @Sendable (String) async -> Void
    ) async throws -> Reply {
        let session = try await session(instructions: exchange.instructions, history: exchange.history)
        // Unless the answer comes to its end, nobody knows what is told of it next time.
        self.session = nil
        let work = try session.start(exchange.question, options: options)
        while let piece = try await work.next() { await onText(piece) }
        let reply = try await work.value()
        self.session = session
        history.append(Turn(question: exchange.question, answer: reply.text))
        return reply
    }

    private func session(instructions: String?, history: [Turn]) async throws -> Session {
        if let session, self.instructions == instructions, self.history == history { return session }
        let session = try await model.resume(instructions, history: history)
        self.session = session
        self.instructions = instructions
        self.history = history
        return session
    }
}
