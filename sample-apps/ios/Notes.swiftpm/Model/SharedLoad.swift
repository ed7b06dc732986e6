import Sotto

/// A model that is being loaded, for all who wait for it.
@MainActor final class SharedLoad {
    private let task: Task<LocalModel, any Error>
    /// How many tasks wait for it.
    private(set) var waiting = 0

    /// Starts to load.
    init(_ load: @escaping @MainActor () async throws -> LocalModel) {
        task = Task(operation: load)
    }

    /// The model, once it is loaded. A task that is cancelled waits no longer; the last one ends the load.
    func model() async throws -> LocalModel {
        waiting += 1
        let result = await resultUnlessCancelled()
        waiting -= 1
        if let result { return try result.get() }
        if waiting == 0 {
            task.cancel()
            _ = await task.result
        }
        throw CancellationError()
    }

    /// A task's `result` is waited for even by one that is cancelled; a stream's elements are not.
    private func resultUnlessCancelled() async -> Result<LocalModel, any Error>? {
        let (results, continuation) = AsyncStream<Result<LocalModel, any Error>>.makeStream()
        Task {
            continuation.yield(await task.result)
            continuation.finish()
        }
        for await result in results { return result }
        return nil
    }
}
