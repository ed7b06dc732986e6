import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request, whose reply is passed on as it arrives.
final class Exchange: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // The session calls its delegate in one place at a time, while whoever has started the exchange waits.
    private let onBytes: @Sendable (Data) throws -> Void
    private var failure: (any Error)?
    private var continuation: CheckedContinuation<Void, any Error>?
    private let lock = NSLock()
    private var isCancelled = false

    init(_ onBytes: @escaping @Sendable (Data) throws -> Void) {
        self.onBytes = onBytes
    }

    func run(_ request: URLRequest, silence: Double) async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = silence
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { start(task, $0) }
        } onCancel: {
            cancel(task)
        }
    }

    /// A task that is cancelled before it begins would not always end.
    private func start(_ task: URLSessionTask, _ continuation: CheckedContinuation<Void, any Error>) {
        lock.withLock {
            if isCancelled { return continuation.resume(throwing: CancellationError()) }
            self.continuation = continuation
            task.resume()
        }
    }

    private func cancel(_ task: URLSessionTask) {
        lock.withLock {
            isCancelled = true
            task.cancel()
        }
    }

    /// A text goes to the server that was named, and nowhere else.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        failure = ServerError.refused(status: response.statusCode)
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        let status = (response as? HTTPURLResponse)?.statusCode
        if failure == nil, status != 200 {
            failure = status.map(ServerError.refused) ?? ServerError.unreachable(why: "its answer is not HTTP")
        }
        completionHandler(failure == nil ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard failure == nil else { return }
        do {
            try onBytes(data)
        } catch {
            failure = error
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let ending = lock.withLock {
            defer { continuation = nil }
            return continuation
        }
        if lock.withLock({ isCancelled }) {
            ending?.resume(throwing: CancellationError())
        } else if let failure = failure ?? error.map(Self.meaning) {
            ending?.resume(throwing: failure)
        } else {
            ending?.resume()
        }
    }

    /// What happened to a connection, without its address.
    private static func meaning(of error: any Error) -> any Error {
        let why =
            switch (error as? URLError)?.code {
            case .timedOut: "it was silent for too long"
            case .cannotFindHost, .dnsLookupFailed: "its name is not known: check the connection"
            case .cannotConnectToHost: "nothing listens there"
            case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate:
                "it could not prove who it is (TLS)"
            default: "the connection was lost"
            }
        return ServerError.unreachable(why: why)
    }
}
