/// A lazy request: iterate over it for its elements as they arrive, or await its ``value``.
///
/// The work is done each time. Elements are pulled, so a slow reader loses nothing. Cancelling the task, leaving the
/// loop or releasing the iterator stops the native work.
public struct Request<Element: Sendable, Value: Sendable>: AsyncSequence, Sendable {
    let start: @Sendable () throws -> Work<Element, Value>

    /// The final result of the work.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public var value: Value {
        get async throws { try await translated { try start() }.value() }
    }

    /// Starts the work when its first element is requested.
    public func makeAsyncIterator() -> Iterator {
        Iterator(state: .notStarted(start))
    }

    /// The elements of one run of the work.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        enum State: Sendable {
            case notStarted(@Sendable () throws -> Work<Element, Value>)
            case running(Work<Element, Value>)
            case ended
        }

        var state: State

        /// The next element, once it is ready; `nil` at the end and after an error.
        ///
        /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
        public mutating func next() async throws -> Element? {
            let before = state
            // After an error or the last element, the work has ended.
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
