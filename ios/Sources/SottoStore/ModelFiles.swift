import Foundation

#if canImport(CryptoKit)
    import CryptoKit
#endif
#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What the store knows of a model that is there, or of an unfinished download.
struct Record: Codable, Hashable {
    var url: String
    var bytes: Int
    var sha256: String
    var license: String?

    func isSameFile(as other: Record) -> Bool { url == other.url && sha256 == other.sha256 && bytes == other.bytes }
}

/// From what the system can go on with a stopped task that received a model from a byte on.
struct ResumeData: Codable, Equatable {
    let from: Int
    let data: Data
}

/// A lock that ends with its file.
struct FileLock: Sendable {
    fileprivate let descriptor: Int32

    func close() {
        #if canImport(Darwin)
            _ = Darwin.close(descriptor)
        #else
            _ = Glibc.close(descriptor)
        #endif
    }
}

/// Where a model lies, and beside it, with a dot in front of their names, what belongs to it. docs/delivery.md has the
/// rules.
struct ModelFiles: Sendable {
    let model: URL
    let part: URL
    private let record: URL
    private let origin: URL
    private let resume: URL
    private let lockFile: URL

    init(folder: URL, source: ModelSource) {
        let model = source.place.reduce(folder) { $0.appendingPathComponent($1) }
        func beside(_ end: String) -> URL {
            model.deletingLastPathComponent().appendingPathComponent(".\(model.lastPathComponent).\(end)")
        }
        self.model = model
        (part, record) = (beside("part"), beside("json"))
        (origin, resume, lockFile) = (beside("part.json"), beside("resume"), beside("lock"))
    }

    var folder: URL { model.deletingLastPathComponent() }

    /// Makes the folder, and keeps others from downloading the same model until the lock is closed.
    func lock(_ source: ModelSource) throws -> FileLock {
        try storing { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
        let descriptor = open(lockFile.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StoreError.storage(reason: String(cString: strerror(errno))) }
        let lock = FileLock(descriptor: descriptor)
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            lock.close()
            throw StoreError.inUse(name: source.name)
        }
        return lock
    }

    /// The same, but waits a moment for a download that was just cancelled.
    func lockSoon(_ source: ModelSource) async throws -> FileLock {
        let start = ContinuousClock.now
        while true {
            do {
                return try lock(source)
            } catch StoreError.inUse where start.duration(to: .now) < .seconds(2) {
                try await Task.sleep(nanoseconds: 50_000_000)
            }
        }
    }

    /// The size of a file; 0 if it is not there.
    static func size(_ file: URL) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Whether the model is there with the size of its record.
    func has(_ record: Record) -> Bool { Self.size(model) == record.bytes }

    func readRecord() -> Record? { Self.read(record) }

    func readOrigin() -> Record? { Self.read(origin) }

    func write(record value: Record) throws {
        try write(value, to: record)
        try sync(folder)
    }

    func write(origin value: Record) throws { try write(value, to: origin) }

    func write(_ value: ResumeData) throws {
        try storing { try JSONEncoder().encode(value).write(to: resume, options: .atomic) }
    }

    /// What a stopped task has left, unless it began elsewhere. It can be used once.
    func takeResumeData(from: Int) -> Data? {
        let left = (try? Data(contentsOf: resume)).flatMap { try? JSONDecoder().decode(ResumeData.self, from: $0) }
        try? remove([resume])
        return left.flatMap { $0.from == from ? $0.data : nil }
    }

    /// Forgets what was received.
    func clear() throws {
        try remove([resume])
        try storing { try Data().write(to: part) }
    }

    /// Puts a file that the system has received in place of what was received, or after it.
    func take(_ file: URL, append: Bool) throws {
        try storing {
            guard append else {
                try remove([part])
                return try FileManager.default.moveItem(at: file, to: part)
            }
            let (from, to) = (try FileHandle(forReadingFrom: file), try FileHandle(forUpdating: part))
            defer {
                try? from.close()
                try? to.close()
            }
            _ = try to.seekToEnd()
            while let piece = try from.read(upToCount: 1 << 18), !piece.isEmpty { try to.write(contentsOf: piece) }
        }
    }

    /// Puts the finished download in the model's place. Wherever this ends early, what is there agrees with its record
    /// or has none, and what was downloaded can be put in place later.
    func putInPlace(_ value: Record) throws {
        try sync(part)
        try remove([record])
        try sync(folder)
        guard rename(part.path, model.path) == 0 else {
            throw StoreError.storage(reason: String(cString: strerror(errno)))
        }
        try sync(folder)
        try write(record: value)
        try remove([origin, resume])
    }

    /// The record goes first: what is left by an early end is not taken for a model.
    func remove() throws { try remove([record, model, part, origin, resume]) }

    private func remove(_ files: [URL]) throws {
        for file in files where unlink(file.path) != 0 && errno != ENOENT {
            throw StoreError.storage(reason: String(cString: strerror(errno)))
        }
    }

    private func write(_ value: Record, to file: URL) throws {
        try storing { try JSONEncoder().encode(value).write(to: file, options: .atomic) }
        try sync(file)
    }

    private func sync(_ file: URL) throws {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        defer { FileLock(descriptor: descriptor).close() }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw StoreError.storage(reason: String(cString: strerror(errno)))
        }
    }

    /// What cannot be read is as good as not there.
    private static func read(_ file: URL) -> Record? {
        (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Record.self, from: $0) }
    }

    /// The model of a record, if this is one and the model is there.
    static func installed(record: URL) -> InstalledModel? {
        let name = record.lastPathComponent
        guard name.hasPrefix("."), name.hasSuffix(".json"), !name.hasSuffix(".part.json") else { return nil }
        let file = record.deletingLastPathComponent().appendingPathComponent(String(name.dropFirst().dropLast(5)))
        guard let value = read(record), size(file) == value.bytes else { return nil }
        return InstalledModel(
            file: file, url: value.url, sha256: value.sha256, bytes: value.bytes, license: value.license)
    }
}

/// The SHA-256 of a file, in hexadecimal digits. `onProgress` is told the bytes read.
func sha256(of file: URL, onProgress: (Int) throws -> Void) throws -> String {
    let handle = try storing { try FileHandle(forReadingFrom: file) }
    defer { try? handle.close() }
    var (hasher, done) = (SHA256(), 0)
    while let piece = try storing({ try handle.read(upToCount: 1 << 18) }), !piece.isEmpty {
        hasher.update(data: piece)
        done += piece.count
        try onProgress(done)
    }
    return hexadecimal(hasher.finalize())
}
