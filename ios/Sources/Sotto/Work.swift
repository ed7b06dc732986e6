internal import SottoFFI

/// A request of the native library: it works on threads of its own.
protocol NativeJob: AnyObject, Sendable {
    associatedtype Value: Sendable

    /// The value, once it is there; given once.
    func value() async throws -> Value
    /// Stops the work within 100 ms.
    func cancel()
}

/// One that tells how far it is, and is pulled from.
protocol NativeStream: NativeJob {
    associatedtype Snapshot: Sendable

    /// The next snapshot, once it is there; `nil` at the end.
    func next() async throws -> Snapshot?
}

extension FfiLoadJob: NativeStream {}
extension FfiInspectJob: NativeJob {}
extension FfiLoadTokenizerJob: NativeJob {}
extension FfiLoadAdapterJob: NativeJob {}
extension FfiPackJob: NativeStream {}
extension FfiSummarizeJob: NativeStream {}
extension FfiSummarizeAllJob: NativeStream {}
extension FfiClassifyJob: NativeJob {}
extension FfiClassifyAllJob: NativeStream {}
extension FfiClassifyPersonalJob: NativeStream {}
extension FfiExtractJob: NativeJob {}
extension FfiExtractAllJob: NativeStream {}
extension FfiForkJob: NativeJob {}
extension FfiPrewarmJob: NativeJob {}
extension FfiSaveJob: NativeJob {}
extension FfiResumeJob: NativeJob {}
extension FfiRespondJob: NativeStream {}
extension FfiLoadEmbedderJob: NativeJob {}
extension FfiEmbedderMemoryJob: NativeJob {}
extension FfiEmbedJob: NativeJob {}
extension FfiEmbedAllJob: NativeJob {}
extension FfiLoadSpeechJob: NativeJob {}
extension FfiSpeechMemoryJob: NativeJob {}
extension FfiTranscribeJob: NativeStream {}
extension FfiTuneJob: NativeStream {}

/// A running request. Cancelling the task that waits for it stops the native work, and so does letting go of it.
final class Work<Snapshot: Sendable, Value: Sendable>: Sendable {
    private let pull: @Sendable () async throws -> Snapshot?
    private let finish: @Sendable () async throws -> Value
    /// The snapshot that the value itself makes, if any.
    let last: @Sendable (Value) -> Snapshot?
    private let stop: @Sendable () -> Void

    init<Job: NativeStream>(
        _ job: Job,
        snapshot: @escaping @Sendable (Job.Snapshot) -> Snapshot,
        value: @escaping @Sendable (Job.Value) -> Value,
        last: @escaping @Sendable (Value) -> Snapshot? = { _ in nil }
    ) {
        pull = { try await job.next().map(snapshot) }
        finish = { value(try await job.value()) }
        self.last = last
        stop = { job.cancel() }
    }

    /// A job with a result for each text of a list. An error of its `next()`, or of `result`, is that text's alone.
    init<Job: NativeStream, Result>(
        each job: Job,
        result: @escaping @Sendable (Job.Snapshot) throws -> Result
    ) where Snapshot == Swift.Result<Result, SottoError>, Value == Void, Job.Value == Void {
        pull = {
            do {
                return try await job.next().map { .success(try result($0)) }
            } catch let error as FfiError {
                return .failure(SottoError(error))
            } catch let error as SottoError {
                return .failure(error)
            }
        }
        finish = { try await job.value() }
        last = { _ in nil }
        stop = { job.cancel() }
    }

    init<Job: NativeJob>(_ job: Job, value: @escaping @Sendable (Job.Value) -> Value) where Snapshot == Never {
        pull = { nil }
        finish = { value(try await job.value()) }
        last = { _ in nil }
        stop = { job.cancel() }
    }

    /// Work in Swift: `body` reports snapshots and gives the value.
    init(
        last: @escaping @Sendable (Value) -> Snapshot?,
        _ body: @escaping @Sendable (_ report: @escaping @Sendable (Snapshot) -> Void) async throws -> Value
    ) {
        let (snapshots, reports) = AsyncStream.makeStream(of: Snapshot.self)
        let task = Task {
            defer { reports.finish() }
            return try await body { reports.yield($0) }
        }
        pull = {
            var iterator = snapshots.makeAsyncIterator()
            return await iterator.next()
        }
        finish = { try await task.value }
        self.last = last
        stop = { task.cancel() }
    }

    deinit {
        stop()
    }

    /// The next snapshot; `nil` when there are no more but the ``last``.
    func next() async throws -> Snapshot? {
        try await stoppedByCancellation { try await pull() }
    }

    /// The value at the end. The snapshots before it go to `onSnapshot`.
    func value(onSnapshot: (Snapshot) -> Void = { _ in }) async throws -> Value {
        try await stoppedByCancellation {
            while let snapshot = try await pull() { onSnapshot(snapshot) }
            return try await finish()
        }
    }

    /// uniffi does not carry a task's cancellation into Rust, so this does.
    private func stoppedByCancellation<T>(_ body: () async throws -> T) async throws -> T {
        try await withTaskCancellationHandler {
            try await translated {
                try Task.checkCancellation()
                return try await body()
            }
        } onCancel: {
            stop()
        }
    }
}

/// Runs `body`, and fails with Sotto's own errors.
func translated<T>(_ body: () async throws -> T) async throws -> T {
    do { return try await body() } catch { throw sottoError(error) }
}

/// Runs `body`, and fails with Sotto's own errors.
func translated<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch { throw sottoError(error) }
}

private func sottoError(_ error: any Error) -> any Error {
    switch error {
    case FfiError.Cancelled where Task.isCancelled: CancellationError()
    case let error as FfiError: SottoError(error)
    case is SottoError, is CancellationError: error
    case let foreign as ForeignError: foreign.error
    // Its message is that of a panic, which may hold anything.
    default: SottoError.internal(why: "the native library panicked")
    }
}

/// An error of an app's own code, which Sotto hands on as it is.
struct ForeignError: Error {
    let error: any Error
}
