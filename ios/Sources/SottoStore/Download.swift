import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// As much as makes an attempt count as a success.
private let progress = 1 << 20

/// A download, from the look at what is there to the model in its place. docs/delivery.md has the rules.
final class Download: @unchecked Sendable {
    // Only a transport uses it elsewhere than its task, and meanwhile the task waits.
    let source: ModelSource
    let files: ModelFiles
    private let store: ModelStore
    private let allowMetered: Bool
    private let report: @Sendable (InstallState) -> Void
    /// Whether the bytes came with more than one reply, so that they may be of two versions.
    private var isJoined = false

    init(
        source: ModelSource, files: ModelFiles, store: ModelStore, allowMetered: Bool,
        report: @escaping @Sendable (InstallState) -> Void
    ) {
        (self.source, self.files, self.store) = (source, files, store)
        (self.allowMetered, self.report) = (allowMetered, report)
    }

    var record: Record { source.record }

    /// The bytes that are there.
    var received: Int { ModelFiles.size(files.part) }

    func run(by transport: any Transport) async throws -> InstallState {
        if try find() { return .installed(files.model, fetched: false) }
        try prepare()
        var failures = 0
        while true {
            let before = received
            do {
                try await receive(by: transport)
                try verify()
                try files.putInPlace(record)
                return .installed(files.model, fetched: true)
            } catch let interruption as Interruption {
                failures = received >= before + progress ? 1 : failures + 1
                try await wait(failures, interruption)
            }
        }
    }

    /// Whether the model is there, as it must be. What is damaged, or another version, is downloaded.
    private func find() throws -> Bool {
        guard files.has(record), try digest(of: files.model) == source.sha256 else { return false }
        if files.readRecord() != record { try files.write(record: record) }
        return true
    }

    /// Keeps an unfinished download if it is of this model.
    private func prepare() throws {
        var old = files.readOrigin()
        old?.license = source.license
        isJoined = received > 0
        if old != record || received > source.bytes { try clear() }
        try files.write(origin: record)
    }

    private func clear() throws {
        isJoined = false
        try files.clear()
    }

    /// Receives what is missing, in one reply.
    private func receive(by transport: any Transport) async throws {
        let needed = source.bytes - received
        if needed == 0 { return }
        let free = try storing { try store.freeBytes(files.folder) }
        if free < needed { throw StoreError.noSpace(needed: needed, free: free) }
        var request = URLRequest(url: source.url)
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if received > 0 { request.setValue("bytes=\(received)-", forHTTPHeaderField: "Range") }
        do {
            try await transport.receive(request, for: self, allowMetered: allowMetered)
        } catch is Metered {
            throw StoreError.metered(bytes: needed)
        }
        if received < source.bytes { throw Interruption(why: "the server ended too early") }
    }

    /// Prepares for the bytes of a reply: they must continue what is there, or begin anew.
    func accept(_ reply: Reply, _ handle: FileHandle) throws {
        let known: Int?
        switch reply {
        case .whole(let bytes):
            try clear()
            known = bytes
        case .rest(let from, let bytes):
            if from != received { try startOver("the server sent another part") }
            known = bytes
        case .unusable(let why): return try startOver(why)
        case .later(let why, let wait): throw Interruption(why: why, wait: wait)
        }
        isJoined = received > 0
        try check(known)
        try storing { _ = try handle.seekToEnd() }
    }

    func take(_ data: Data, _ handle: FileHandle) throws {
        let done = received + data.count
        if done > source.bytes { try startOver("the server sent more than the file") }
        try storing { try handle.write(contentsOf: data) }
        tell(received: done)
    }

    /// Takes a file that the system has received: the model from the byte on that was asked for, or all of it. If the
    /// system has gone on with a stopped task, the reply has only the end of the file.
    func take(_ file: URL, from: Int, _ response: HTTPURLResponse) throws {
        guard response.url?.isPrivate == true else {
            throw Interruption(why: "the server redirects to an address without TLS")
        }
        let (start, known): (Int, Int?)
        switch try Reply(response, name: source.name) {
        case .whole(let bytes): (start, known) = (0, bytes)
        case .rest(_, let bytes): (start, known) = (from, bytes)
        case .unusable(let why): return try startOver(why)
        case .later(let why, let wait): throw Interruption(why: why, wait: wait)
        }
        try check(known)
        if start > 0 && start != received || ModelFiles.size(file) != source.bytes - start {
            try startOver("the server sent another part")
        }
        isJoined = response.statusCode == 206
        try files.take(file, append: start > 0)
    }

    /// Takes the last that was missing, and puts the model in its place.
    func finish(with file: URL, from: Int, _ response: HTTPURLResponse) throws {
        try take(file, from: from, response)
        try verify()
        try files.putInPlace(record)
    }

    func tell(received: Int) { report(.downloading(done: min(received, source.bytes), total: source.bytes)) }

    private func check(_ known: Int?) throws {
        guard let known, known != source.bytes else { return }
        try clear()
        let why = "the server's file has \(known) bytes, not \(source.bytes)"
        throw StoreError.mismatch(name: source.name, why: why)
    }

    /// Compares the SHA-256. If it is wrong, and the bytes came with several replies, all is downloaded again.
    private func verify() throws {
        if try digest(of: files.part) == source.sha256 { return }
        if isJoined { try startOver("the server does not stick to one version of the file") }
        try clear()
        let why = "its SHA-256 is another: the source is wrong, or the file was changed"
        throw StoreError.mismatch(name: source.name, why: why)
    }

    private func digest(of file: URL) throws -> String {
        try sha256(of: file) {
            try Task.checkCancellation()
            report(.verifying(done: $0, total: source.bytes))
        }
    }

    private func startOver(_ why: String) throws {
        try clear()
        throw Interruption(why: why)
    }

    /// Waits before the next attempt, unless there were too many.
    private func wait(_ failures: Int, _ interruption: Interruption) async throws {
        let patience = store.patience
        let usual = min(patience.firstWait * Double(1 << min(failures - 1, 16)), patience.longestWait)
        let wait = interruption.wait ?? usual
        if failures >= patience.attempts || wait > patience.longestWait {
            throw StoreError.network(name: source.name, why: interruption.why)
        }
        try await Task.sleep(nanoseconds: UInt64(max(wait, 0) * 1e9))
    }
}
