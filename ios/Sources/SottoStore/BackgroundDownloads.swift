import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Downloads that the system goes on with while the app is suspended or ended. Make one of them, when the app is launched:
/// what was received meanwhile is then checked and put in its place.
///
/// ```swift
/// let downloads = BackgroundDownloads(store: store, identifier: "com.example.app.models")
/// for try await state in downloads.install(source) { show(state) }
///
/// // In the app's scene: the system launches the app when everything was received.
/// .backgroundTask(.urlSession("com.example.app.models")) { await downloads.finishEvents() }
/// ```
/// Whether a model was received by the system or by ``ModelStore``, it takes its place only when it is complete and has its
/// SHA-256. docs/delivery.md has the rules.
public final class BackgroundDownloads: Sendable {
    private let store: ModelStore
    private let transport: BackgroundTransport

    #if canImport(Darwin)
        /// Downloads into `store`, by a session of the system that has this identifier. There is one session of an
        /// identifier at a time.
        public convenience init(store: ModelStore, identifier: String) {
            let configuration = URLSessionConfiguration.background(withIdentifier: identifier)
            configuration.sessionSendsLaunchEvents = true
            self.init(store: store, configuration: configuration)
        }
    #endif

    init(store: ModelStore, configuration: URLSessionConfiguration) {
        self.store = store
        transport = BackgroundTransport(configuration, arrivals: Arrivals(store: store))
    }

    /// Downloads a model, unless it is there, like ``ModelStore/install(_:allowMetered:)``. A download of this model that
    /// the system is at work on is waited for.
    ///
    /// Cancelling the task, or leaving the loop, does not stop the download: ``cancel(_:)`` does. Over a metered network,
    /// the system waits for another one unless `allowMetered`.
    public func install(
        _ source: ModelSource, allowMetered: Bool = false
    ) -> AsyncThrowingStream<InstallState, any Error> {
        store.install(source, allowMetered: allowMetered, by: transport)
    }

    /// Stops the download of a model. What the server can go on from is kept.
    public func cancel(_ source: ModelSource) async {
        for task in await transport.session.downloads(of: source) { task.stop() }
    }

    /// Waits until what the system has received while the app was suspended or ended is checked and in its place: for
    /// SwiftUI's `backgroundTask(.urlSession(_:))`, or before the completion handler of
    /// `application(_:handleEventsForBackgroundURLSession:completionHandler:)` is called.
    public func finishEvents() async {
        await transport.arrivals.events.wait()
    }
}

/// Receives what is missing of a model by a task of the system, in one file.
final class BackgroundTransport: Transport {
    let session: URLSession
    let arrivals: Arrivals

    init(_ configuration: URLSessionConfiguration, arrivals: Arrivals) {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        self.arrivals = arrivals
        session = URLSession(configuration: configuration, delegate: arrivals, delegateQueue: queue)
    }

    deinit { session.finishTasksAndInvalidate() }

    func receive(_ request: URLRequest, for download: Download, allowMetered: Bool) async throws {
        let wait = Wait(for: download)
        guard arrivals.add(wait) else { throw StoreError.inUse(name: download.source.name) }
        defer { arrivals.remove(wait) }
        // A task that ends meanwhile tells `wait`.
        if await session.downloads(of: download.source).isEmpty, !wait.isOver {
            var request = request
            #if canImport(Darwin)
                request.allowsExpensiveNetworkAccess = allowMetered
                request.allowsConstrainedNetworkAccess = allowMetered
            #endif
            let task = session.task(for: request, of: download)
            task.resume()
        }
        try await wait.end()
    }
}

/// What the store has to know of a task when the app is launched again.
struct Ticket: Codable {
    let record: Record
    /// The first byte that is received.
    let from: Int

    init(_ download: Download) { (record, from) = (download.record, download.received) }

    init?(_ task: URLSessionTask) {
        let text = task.taskDescription.map { Data($0.utf8) }
        guard let text, let ticket = try? JSONDecoder().decode(Self.self, from: text) else { return nil }
        self = ticket
    }

    var text: String? { try? String(decoding: JSONEncoder().encode(self), as: UTF8.self) }

    /// The model, of a task that receives it.
    func source(of task: URLSessionTask) -> ModelSource? {
        guard let url = task.originalRequest?.url else { return nil }
        return try? ModelSource(url: url, sha256: record.sha256, bytes: record.bytes, license: record.license)
    }
}

extension URLSession {
    /// The tasks that receive a model.
    fileprivate func downloads(of source: ModelSource) async -> [URLSessionTask] {
        let tasks = await withCheckedContinuation { continuation in
            getAllTasks { continuation.resume(returning: $0) }
        }
        return tasks.filter { task in
            guard let record = Ticket(task)?.record else { return false }
            return record.isSameFile(as: source.record) && [.running, .suspended].contains(task.state)
        }
    }

    /// A task that goes on from where an earlier one was stopped, if the system knows that.
    fileprivate func task(for request: URLRequest, of download: Download) -> URLSessionDownloadTask {
        let ticket = Ticket(download)
        let task = download.files.takeResumeData(from: ticket.from).map(downloadTask(withResumeData:))
        let new = task ?? downloadTask(with: request)
        new.taskDescription = ticket.text
        return new
    }
}

extension URLSessionTask {
    /// Stops, and keeps what was received if the system can go on from it.
    fileprivate func stop() {
        #if canImport(Darwin)
            guard let download = self as? URLSessionDownloadTask else { return cancel() }
            // The delegate is told the resume data, too.
            download.cancel { _ in }
        #else
            cancel()
        #endif
    }
}
