import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Hears from a session what has become of its tasks, on one queue: by those who wait for them, or, after a launch of the app, by
/// nobody.
final class Arrivals: NSObject, URLSessionDownloadDelegate, @unchecked Sendable {
    let events = Events()
    private let store: ModelStore
    private let lock = NSLock()
    // Belongs to the lock.
    private var waits: [Wait] = []
    // Belongs to the session's queue.
    private var failures: [Int: any Error] = [:]

    init(store: ModelStore) { self.store = store }

    /// Whether nobody waited for this model.
    func add(_ wait: Wait) -> Bool {
        lock.withLock {
            guard !waits.contains(where: { $0.isFor(wait.download.record) }) else { return false }
            waits.append(wait)
            return true
        }
    }

    func remove(_ wait: Wait) {
        lock.withLock { waits.removeAll { $0 === wait } }
    }

    private func wait(for task: URLSessionTask) -> Wait? {
        guard let record = Ticket(task)?.record else { return nil }
        return lock.withLock { waits.first { $0.isFor(record) } }
    }

    func urlSession(
        _ session: URLSession, downloadTask: URLSessionDownloadTask, didWriteData bytesWritten: Int64,
        totalBytesWritten: Int64, totalBytesExpectedToWrite: Int64
    ) {
        guard let wait = wait(for: downloadTask), let ticket = Ticket(downloadTask) else { return }
        wait.download.tell(received: ticket.from + Int(totalBytesWritten))
    }

    /// The file is gone when this returns.
    func urlSession(_ session: URLSession, downloadTask: URLSessionDownloadTask, didFinishDownloadingTo location: URL) {
        do {
            guard let ticket = Ticket(downloadTask), let response = downloadTask.response as? HTTPURLResponse else {
                throw Interruption(why: "the server's answer is not HTTP")
            }
            if let wait = wait(for: downloadTask) {
                try wait.download.take(location, from: ticket.from, response)
            } else if let source = ticket.source(of: downloadTask) {
                try store.finish(source, with: location, from: ticket.from, response)
            }
        } catch {
            failures[downloadTask.taskIdentifier] = error
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        #if canImport(Darwin)
            if let data = (error as? URLError)?.downloadTaskResumeData, let ticket = Ticket(task),
                let source = ticket.source(of: task)
            {
                // Without it, the next download begins where this one did.
                try? ModelFiles(folder: store.folder, source: source).write(ResumeData(from: ticket.from, data: data))
            }
        #endif
        let failure = failures.removeValue(forKey: task.taskIdentifier) ?? error.map(Transfer.meaning)
        wait(for: task)?.finish(failure.map { .failure($0) } ?? .success(()))
    }

    #if canImport(Darwin)
        func urlSessionDidFinishEvents(forBackgroundURLSession session: URLSession) { events.finish() }
    #endif
}

/// Somebody who waits for a task.
final class Wait: @unchecked Sendable {
    let download: Download
    private let results: AsyncStream<Result<Void, any Error>>
    private let continuation: AsyncStream<Result<Void, any Error>>.Continuation
    private let lock = NSLock()
    private var result: Result<Void, any Error>?

    init(for download: Download) {
        self.download = download
        (results, continuation) = AsyncStream.makeStream()
    }

    var isOver: Bool { lock.withLock { result != nil } }

    func isFor(_ record: Record) -> Bool { download.record.isSameFile(as: record) }

    func finish(_ result: Result<Void, any Error>) {
        lock.withLock { self.result = self.result ?? result }
        continuation.yield(result)
    }

    /// Ends with the task, or when the caller is cancelled, which does not stop the task.
    func end() async throws {
        for await result in results { return try result.get() }
        throw CancellationError()
    }
}

/// The end of the events for which the system has launched the app.
final class Events: @unchecked Sendable {
    private let lock = NSLock()
    private var areFinished = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func finish() {
        let waiting = lock.withLock {
            defer { self.waiting = [] }
            areFinished = self.waiting.isEmpty
            return self.waiting
        }
        waiting.forEach { $0.resume() }
    }

    /// Waits for the next end, unless it came before.
    func wait() async {
        await withCheckedContinuation { continuation in
            lock.withLock {
                if areFinished {
                    areFinished = false
                    continuation.resume()
                } else {
                    waiting.append(continuation)
                }
            }
        }
    }
}
