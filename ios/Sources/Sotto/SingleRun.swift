import Foundation

/// Whether a task's work has begun, and what came of it, for all who await that.
final class SingleRun<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var hasBegun = false
    private var outcome: Result<Value, any Error>?
    private var waiting: [AsyncStream<Void>.Continuation] = []

    /// Whether this is the first call.
    func begins() -> Bool {
        lock.withLock {
            defer { hasBegun = true }
            return !hasBegun
        }
    }

    /// Tells what came of the work. Only the first time counts.
    func end(_ outcome: Result<Value, any Error>) {
        let waiting = lock.withLock {
            self.outcome = self.outcome ?? outcome
            defer { self.waiting = [] }
            return self.waiting
        }
        waiting.forEach { $0.finish() }
    }

    /// What came of the work, once it has ended.
    func value() async throws -> Value {
        // A stream ends for a task that is cancelled, too.
        for await _ in untilEnd() {}
        try Task.checkCancellation()
        guard let outcome = lock.withLock({ outcome }) else { throw SottoError.cancelled }
        return try outcome.get()
    }

    private func untilEnd() -> AsyncStream<Void> {
        let (stream, end) = AsyncStream.makeStream(of: Void.self)
        let hasEnded = lock.withLock {
            if outcome == nil { waiting.append(end) }
            return outcome != nil
        }
        if hasEnded { end.finish() }
        return stream
    }
}
