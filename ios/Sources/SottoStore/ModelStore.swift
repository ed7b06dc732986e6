import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// How far an installation has come.
public enum InstallState: Hashable, Sendable {
    /// Bytes are received: those that are there, and all.
    case downloading(done: Int, total: Int)
    /// Bytes are read again, and compared with the SHA-256.
    case verifying(done: Int, total: Int)
    /// The model is there: the last state. `fetched` says whether it was downloaded now.
    case installed(URL, fetched: Bool)
}

/// A model in a store.
public struct InstalledModel: Hashable, Sendable {
    /// Its file.
    public let file: URL
    /// Its address, without a query.
    public let url: String
    /// Its SHA-256, in hexadecimal digits.
    public let sha256: String
    /// Its size.
    public let bytes: Int
    /// What the source said of its licence.
    public let license: String?
}

/// A folder of downloaded models, each of them once. A model takes its place only when it is complete and has its
/// SHA-256; a download that was interrupted goes on from where it was, also after the end of the process.
public struct ModelStore: Sendable {
    /// Where the models lie. It is made with the first model.
    public let folder: URL
    let patience: Patience
    /// The bytes that can still be written in a folder.
    let freeBytes: @Sendable (URL) throws -> Int

    /// A store in `folder`, which should be in the app's Application Support directory.
    public init(folder: URL) {
        self.init(folder: folder, patience: Patience(), freeBytes: systemFreeBytes)
    }

    init(folder: URL, patience: Patience, freeBytes: @escaping @Sendable (URL) throws -> Int = systemFreeBytes) {
        (self.folder, self.patience, self.freeBytes) = (folder, patience, freeBytes)
    }

    /// Downloads a model, unless it is there. If it is, all of its bytes are compared with its SHA-256.
    ///
    /// Cancelling the task, or leaving the loop, stops the download, and the next one goes on from there. Over a metered
    /// network, nothing is downloaded unless `allowMetered`.
    public func install(
        _ source: ModelSource, allowMetered: Bool = false
    ) -> AsyncThrowingStream<InstallState, any Error> {
        install(source, allowMetered: allowMetered, by: StreamTransport(silence: patience.silence))
    }

    func install(
        _ source: ModelSource, allowMetered: Bool, by transport: any Transport
    ) -> AsyncThrowingStream<InstallState, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let work = Task.detached {
                do {
                    // The lock is free before the end is told, so that the model can be removed at once.
                    let installed = try await download(source, allowMetered, transport) { continuation.yield($0) }
                    continuation.yield(installed)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }

    private func download(
        _ source: ModelSource, _ allowMetered: Bool, _ transport: any Transport,
        report: @escaping @Sendable (InstallState) -> Void
    ) async throws -> InstallState {
        let files = ModelFiles(folder: folder, source: source)
        let lock = try await files.lockSoon(source)
        defer { lock.close() }
        return try await Download(
            source: source, files: files, store: self, allowMetered: allowMetered, report: report
        ).run(by: transport)
    }

    /// Puts a model in its place that was received while nobody waited for it. One that is not wanted any more is dropped.
    func finish(_ source: ModelSource, with file: URL, from: Int, _ response: HTTPURLResponse) throws {
        let files = ModelFiles(folder: folder, source: source)
        guard files.readOrigin()?.isSameFile(as: source.record) == true else { return }
        let lock = try files.lock(source)
        defer { lock.close() }
        try Download(source: source, files: files, store: self, allowMetered: false, report: { _ in })
            .finish(with: file, from: from, response)
    }

    /// Where a model lies, or will lie.
    public func file(of source: ModelSource) -> URL { ModelFiles(folder: folder, source: source).model }

    /// The file of a model that is there with the wanted SHA-256, by the store's record and its size; nothing is read.
    public func find(_ source: ModelSource) -> URL? {
        let files = ModelFiles(folder: folder, source: source)
        guard let record = files.readRecord(), record.sha256 == source.sha256, files.has(record) else { return nil }
        return files.model
    }

    /// All models that are there.
    public func installed() -> [InstalledModel] {
        let entries = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        let models = (entries?.allObjects ?? []).compactMap { ($0 as? URL).flatMap(ModelFiles.installed) }
        return models.sorted { $0.file.path < $1.file.path }
    }

    /// Removes a model, and what was downloaded of it. Throws ``StoreError/inUse(name:)`` while it is being downloaded.
    public func remove(_ source: ModelSource) throws {
        let files = ModelFiles(folder: folder, source: source)
        guard FileManager.default.fileExists(atPath: files.folder.path) else { return }
        let lock = try files.lock(source)
        defer { lock.close() }
        try files.remove()
    }
}

extension AsyncThrowingStream<InstallState, any Error> {
    /// Installs, and waits for the model's file.
    public func file() async throws -> URL {
        for try await case .installed(let file, _) in self { return file }
        throw CancellationError()
    }
}

/// How patient a download is.
struct Patience: Sendable {
    /// How often it is tried in a row without having received a mebibyte.
    var attempts = 6
    /// The wait after the first failure, in seconds. It doubles with each.
    var firstWait = 1.0
    /// The longest wait, also of those that a server asks for.
    var longestWait = 60.0
    /// How long a server may be silent, in seconds.
    var silence = 30.0
}

@Sendable private func systemFreeBytes(_ folder: URL) throws -> Int {
    #if canImport(Darwin)
        let values = try folder.resourceValues(forKeys: [.volumeAvailableCapacityForImportantUsageKey])
        return Int(clamping: values.volumeAvailableCapacityForImportantUsage ?? 0)
    #else
        let values = try FileManager.default.attributesOfFileSystem(forPath: folder.path)
        return (values[.systemFreeSize] as? NSNumber)?.intValue ?? 0
    #endif
}
