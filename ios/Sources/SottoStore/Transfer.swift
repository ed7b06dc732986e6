import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An attempt has ended early, but another may work, after `wait` seconds or the usual time.
struct Interruption: Error {
    let why: String
    var wait: Double? = nil
}

/// A way to receive what a request asks for into the file of a download.
protocol Transport: Sendable {
    /// Throws ``Interruption`` where another attempt may work.
    func receive(_ request: URLRequest, for download: Download, allowMetered: Bool) async throws
}

/// Receives piece by piece, while the app runs.
struct StreamTransport: Transport {
    let silence: Double

    func receive(_ request: URLRequest, for download: Download, allowMetered: Bool) async throws {
        let handle = try storing { try FileHandle(forUpdating: download.files.part) }
        defer { try? handle.close() }
        let transfer = Transfer(
            accept: { try download.accept(Reply($0, name: download.source.name), handle) },
            take: { try download.take($0, handle) })
        try await transfer.run(request, silence: silence, allowMetered: allowMetered)
    }
}

/// One request, whose bytes are taken where they arrive, so that they are written before more come.
final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // The session calls its delegate in one place at a time, while whoever has started the transfer waits.
    private let accept: (HTTPURLResponse) throws -> Void
    private let take: (Data) throws -> Void
    private var failure: (any Error)?
    private var redirects = 0
    private var continuation: CheckedContinuation<Void, any Error>?
    private let lock = NSLock()
    private var isCancelled = false

    private static let mostRedirects = 10

    init(accept: @escaping (HTTPURLResponse) throws -> Void, take: @escaping (Data) throws -> Void) {
        (self.accept, self.take) = (accept, take)
    }

    func run(_ request: URLRequest, silence: Double, allowMetered: Bool) async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = silence
        #if canImport(Darwin)
            configuration.allowsExpensiveNetworkAccess = allowMetered
            configuration.allowsConstrainedNetworkAccess = allowMetered
        #endif
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

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        redirects += 1
        guard redirects <= Self.mostRedirects, request.url?.isPrivate == true else { return completionHandler(nil) }
        var next = request
        next.setValue(task.originalRequest?.value(forHTTPHeaderField: "Range"), forHTTPHeaderField: "Range")
        completionHandler(next)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        do {
            guard let response = response as? HTTPURLResponse else {
                throw Interruption(why: "the server's answer is not HTTP")
            }
            try accept(response)
            completionHandler(.allow)
        } catch {
            failure = error
            completionHandler(.cancel)
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard failure == nil else { return }
        do {
            try take(data)
        } catch {
            failure = error
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let failure = failure ?? error.map(Self.meaning) {
            continuation?.resume(throwing: failure)
        } else {
            continuation?.resume()
        }
        continuation = nil
    }

    static func meaning(of error: any Error) -> any Error {
        guard let error = error as? URLError else { return Interruption(why: "the connection was lost") }
        #if canImport(Darwin)
            if [.expensive, .constrained].contains(error.networkUnavailableReason) { return Metered() }
        #endif
        return switch error.code {
        case .cancelled: CancellationError()
        case .timedOut: Interruption(why: "the server was silent for too long")
        case .cannotFindHost, .dnsLookupFailed:
            Interruption(why: "the server's name is not known: check the connection")
        default: Interruption(why: "the connection was lost")
        }
    }
}

/// The network is metered, and this was not allowed.
struct Metered: Error {}
