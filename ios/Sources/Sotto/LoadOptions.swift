import Foundation
internal import SottoFFI

/// How to load a model.
public struct LoadOptions: Hashable, Sendable {
    /// The inference backend.
    public enum Backend: CaseIterable, Hashable, Sendable {
        /// Sotto's own engine.
        case sotto
        /// candle's models: slower, and not in the framework, where this is ``SottoError/unsupported(what:)``.
        case candle
    }

    /// The number format of the KV cache, in which a model remembers a text.
    public enum KVType: CaseIterable, Hashable, Sendable {
        /// Two bytes per value.
        case f16
        /// Four bytes per value, exact.
        case f32
        /// One byte per value: half the memory of ``f16``, and faster in long texts, at a small cost in accuracy.
        case q8
    }

    /// The folder `Sotto` in the app's Application Support directory.
    public static let defaultCacheFolder: URL? = {
        let folders = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)
        return folders.first?.appendingPathComponent("Sotto", isDirectory: true)
    }()

    /// A separate folder for packed copies of model files; by default ``defaultCacheFolder``. It is left out of
    /// backups.
    ///
    /// A packed file is mapped, so it loads faster and its weights need no private memory. The first load of a GGUF
    /// file makes a packed copy, which needs as much space as the file. With `nil`, every load packs the weights into
    /// private memory.
    public var cacheFolder: URL?
    /// Whether the model file is deleted as soon as its packed copy is complete and on the disk. Later loads find the copy by the
    /// path of the file that is gone. It needs a ``cacheFolder``, and a file with a path.
    public var deleteSourceAfterPacking: Bool
    /// The maximum context length of a request, in tokens; by default 4,096, or the model's own if that is shorter.
    public var contextLength: Int?
    /// Number of threads; by default one per performance core.
    public var threads: Int?
    /// The inference backend.
    public var backend: Backend
    /// The number format of the KV cache.
    public var kvType: KVType

    /// The default options, except for those given.
    public init(
        cacheFolder: URL? = LoadOptions.defaultCacheFolder,
        contextLength: Int? = nil,
        threads: Int? = nil,
        backend: Backend = .sotto,
        kvType: KVType = .f16,
        deleteSourceAfterPacking: Bool = false
    ) {
        self.cacheFolder = cacheFolder
        self.contextLength = contextLength
        self.threads = threads
        self.backend = backend
        self.kvType = kvType
        self.deleteSourceAfterPacking = deleteSourceAfterPacking
    }

    /// Packed copies can be made again, and are as large as the models.
    func leaveCopiesOutOfBackups() {
        #if canImport(Darwin)
            var values = URLResourceValues()
            values.isExcludedFromBackup = true
            // There is no folder before the first copy.
            var folder = cacheFolder
            try? folder?.setResourceValues(values)
        #endif
    }

    func ffi() throws -> FfiLoadOptions {
        FfiLoadOptions(
            backend: backend.ffi,
            threads: try threads.map { try UInt32($0, atLeast: 1, "the number of threads") },
            cacheFolder: cacheFolder?.path,
            deleteSourceAfterPacking: deleteSourceAfterPacking,
            contextLength: try contextLength.map { try UInt32($0, atLeast: 1, "the context length") },
            kvType: kvType.ffi
        )
    }
}

extension LoadOptions.Backend {
    fileprivate var ffi: FfiBackend {
        switch self {
        case .sotto: .sotto
        case .candle: .candle
        }
    }
}

extension LoadOptions.KVType {
    fileprivate var ffi: FfiKvType {
        switch self {
        case .f16: .f16
        case .f32: .f32
        case .q8: .q8
        }
    }
}
