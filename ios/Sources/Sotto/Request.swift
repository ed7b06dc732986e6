/// A request that has not been asked for yet: iterate over it for what comes as it comes, or await its ``value``.
///
/// Each time, the work is done. What comes is pulled, so that a slow reader loses nothing. Cancelling the task,
/// breaking out of the loop or letting go of the iterator stops the native work.
public struct Request<Element: Sendable, Value: Sendable>: AsyncSequence, Sendable {
    let start: @Sendable () throws -> Work<Element, Value>

    /// What the work comes to in the end.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public var value: Value {
        get async throws { try await translated { try start() }.value() }
    }

    /// Starts the work when its first element is asked for.
    public func makeAsyncIterator() -> Iterator {
        Iterator(state: .notStarted(start))
    }

    /// What comes of one piece of work.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        enum State: Sendable {
            case notStarted(@Sendable () throws -> Work<Element, Value>)
            case running(Work<Element, Value>)
            case ended
        }

        var state: State

        /// The next element, once it is there; `nil` at the end, and after an error.
        ///
        /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
        public mutating func next() async throws -> Element? {
            let before = state
            // What fails has ended, and so has what has nothing more to give.
            state = .ended
            let work: Work<Element, Value>
            switch before {
            case .notStarted(let start): work = try translated { try start() }
            case .running(let running): work = running
            case .ended: return nil
            }
            guard let element = try await work.next() else { return try await work.lastSnapshot() }
            state = .running(work)
            return element
        }
    }
}
