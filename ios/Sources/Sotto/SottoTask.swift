/// Work that runs once: iterate over it for its elements while it runs, await its ``value``, or do both.
///
/// ```swift
/// let answer = chat.streamResponse(to: "Hello")
/// for try await piece in answer { print(piece, terminator: "") }
/// let reply = try await answer.value                  // of the same run: nothing is asked again
/// ```
///
/// It begins when its first element or its value is asked for. Cancelling that task, leaving the loop or releasing the
/// iterator stops the native work. Elements are pulled, so a slow reader loses nothing. To do the work again, make a new
/// `SottoTask`.
public final class SottoTask<Element: Sendable, Value: Sendable>: AsyncSequence, Sendable {
    private let start: @Sendable () throws -> Work<Element, Value>
    private let run = SingleRun<Value>()

    init(_ start: @escaping @Sendable () throws -> Work<Element, Value>) {
        self.start = start
    }

    /// The value at the end of the work. It begins the work if nothing has, and can be asked for any number of times.
    ///
    /// - Throws: ``SottoError``, also ``SottoError/cancelled`` for work that was stopped before its end, or
    ///   `CancellationError` when the task is cancelled.
    public var value: Value {
        get async throws {
            guard run.begins() else { return try await run.value() }
            return try await Running(run, start).value()
        }
    }

    /// Starts the work when its first element is requested.
    public func makeAsyncIterator() -> Iterator {
        Iterator(state: .notStarted(self))
    }

    /// The elements of the one run of the work.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        enum State: Sendable {
            case notStarted(SottoTask)
            case running(Running<Element, Value>)
            case ended
        }

        var state: State

        /// The next element, once it is ready; `nil` at the end and after an error.
        ///
        /// - Throws: ``SottoError``, also ``SottoError/invalidInput(what:)`` where the work has begun before, or
        ///   `CancellationError` when the task is cancelled.
        public mutating func next() async throws -> Element? {
            let before = state
            // After an error or the last element, the work has ended.
            state = .ended
            let running: Running<Element, Value>
            switch before {
            case .notStarted(let task): running = try task.begin()
            case .running(let one): running = one
            case .ended: return nil
            }
            guard let element = try await running.next() else { return try await running.last() }
            state = .running(running)
            return element
        }
    }

    private func begin() throws -> Running<Element, Value> {
        guard run.begins() else {
            throw SottoError.invalidInput(what: "a task runs once, and this one has begun: make a new one")
        }
        return try Running(run, start)
    }
}

/// The work of a task while it runs. Whatever ends it, it tells ``SingleRun`` how.
final class Running<Element: Sendable, Value: Sendable>: Sendable {
    private let run: SingleRun<Value>
    private let work: Work<Element, Value>

    init(_ run: SingleRun<Value>, _ start: () throws -> Work<Element, Value>) throws {
        do {
            work = try translated { try start() }
            self.run = run
        } catch {
            run.end(.failure(error))
            throw error
        }
    }

    deinit {
        run.end(.failure(SottoError.cancelled))
    }

    func next() async throws -> Element? {
        try await told { try await work.next() }
    }

    /// The element that the value makes, if any.
    func last() async throws -> Element? {
        work.last(try await value())
    }

    func value() async throws -> Value {
        let value = try await told { try await work.value() }
        run.end(.success(value))
        return value
    }

    private func told<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch {
            // Who awaits the value elsewhere was not cancelled.
            run.end(.failure(error is CancellationError ? SottoError.cancelled : error))
            throw error
        }
    }
}
