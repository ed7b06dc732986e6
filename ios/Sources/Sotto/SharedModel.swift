import Foundation

/// Whether a ``SharedModel`` is in memory.
public enum ModelState: Sendable {
    /// Nobody has asked for it yet.
    case notLoaded
    /// It is being loaded; `progress` is that of its packed copy, `nil` where none is being made.
    case loading(progress: LocalModel.Progress?)
    /// It can be used.
    case ready(model: LocalModel)
    /// It could not be loaded. The next ``SharedModel/model()`` tries again.
    case failed(error: any Error)
    /// Its memory was given back. The next ``SharedModel/model()`` loads it again.
    case trimmed
}

/// A model that is loaded when it is first needed, once for all who need it, and whose state a screen can show.
///
/// ```swift
/// let models = SharedModel { try await LocalModel.load(.file(url), onProgress: $0) }
/// let summary = try await models.model().summarize(note).value      // loads it, unless it is there
/// for await state in models.states { self.state = state }           // in an `@Observable` view model
/// models.trim()                                                     // when memory is short
/// ```
public final class SharedModel: Sendable {
    /// Loads the model, and tells how far it is.
    public typealias Load =
        @Sendable (_ onProgress: @escaping @Sendable (LocalModel.Progress) -> Void) async throws -> LocalModel

    private let load: Load
    private let current = Current()

    /// A model that `load` loads.
    public init(load: @escaping Load) {
        self.load = load
    }

    deinit {
        current.stop(.notLoaded)
    }

    /// Whether the model is in memory, and how far it is.
    public var state: ModelState { current.state }

    /// The state now, and each one after it. A slow reader misses what is over by then.
    public var states: AsyncStream<ModelState> { current.states() }

    /// The model; it is loaded if it is not there. Whoever is cancelled while waiting does not stop the load, which others
    /// may wait for.
    ///
    /// - Throws: what `load` throws, ``SottoError/cancelled`` if ``trim()`` stops the load, or `CancellationError` when the
    ///   task is cancelled.
    public func model() async throws -> LocalModel {
        let run = current.begin { [load, current] run in
            Task {
                do {
                    let model = try await load { current.show(.loading(progress: $0), of: run) }
                    current.end(.ready(model: model), .success(model), of: run)
                } catch {
                    let error = error is CancellationError ? SottoError.cancelled : error
                    current.end(.failed(error: error), .failure(error), of: run)
                }
            }
        }
        return try await run.value()
    }

    /// Gives the model up, or stops loading it. Its memory is free once nothing refers to the model. The next ``model()`` loads it
    /// again.
    public func trim() {
        current.stop(.trimmed)
    }
}

/// The state of a shared model, and who watches it.
private final class Current: @unchecked Sendable {
    private let lock = NSLock()
    private var shown = ModelState.notLoaded
    private var run: SingleRun<LocalModel>?
    private var loading: Task<Void, Never>?
    private var watching: [UUID: AsyncStream<ModelState>.Continuation] = [:]

    deinit {
        watching.values.forEach { $0.finish() }
    }

    var state: ModelState { lock.withLock { shown } }

    func states() -> AsyncStream<ModelState> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = UUID()
            continuation.onTermination = { [weak self] _ in self?.forget(id) }
            lock.withLock {
                watching[id] = continuation
                continuation.yield(shown)
            }
        }
    }

    /// The load that is under way or done, or one that `start` begins.
    func begin(_ start: (SingleRun<LocalModel>) -> Task<Void, Never>) -> SingleRun<LocalModel> {
        lock.withLock {
            if let run { return run }
            let begun = SingleRun<LocalModel>()
            run = begun
            tell(.loading(progress: nil))
            loading = start(begun)
            return begun
        }
    }

    /// Shows a state of a load, unless it was stopped.
    func show(_ state: ModelState, of one: SingleRun<LocalModel>) {
        lock.withLock { if one === run { tell(state) } }
    }

    func end(_ state: ModelState, _ outcome: Result<LocalModel, any Error>, of one: SingleRun<LocalModel>) {
        lock.withLock {
            guard one === run else { return }
            if case .failure = outcome { run = nil }
            tell(state)
        }
        one.end(outcome)
    }

    func stop(_ state: ModelState) {
        let stopped = lock.withLock {
            defer { (run, loading) = (nil, nil) }
            if run != nil { tell(state) }
            return (run, loading)
        }
        stopped.1?.cancel()
        stopped.0?.end(.failure(SottoError.cancelled))
    }

    private func tell(_ state: ModelState) {
        shown = state
        watching.values.forEach { $0.yield(state) }
    }

    private func forget(_ id: UUID) {
        lock.withLock { watching[id] = nil }
    }
}
