import Foundation
internal import SottoFFI

/// How to load a model.
public struct LoadOptions: Hashable, Sendable {
    /// What computes.
    public enum Backend: CaseIterable, Hashable, Sendable {
        /// Sotto's own engine.
        case sotto
        /// candle's models: slower, and not in the framework, where this is ``SottoError/unsupported(what:)``.
        case candle
    }

    /// The number format of what a model remembers of a text: its keys and values.
    public enum KVType: CaseIterable, Hashable, Sendable {
        /// Two bytes a value.
        case f16
        /// Four bytes a value, exact.
        case f32
        /// One byte a value: half the memory of ``f16``, and faster in long texts, for a small loss of accuracy.
        case q8
    }

    /// Where packed copies of model files are kept: a folder of their own,
    /// `URL.applicationSupportDirectory.appending(path: "Models")` for one. Leave it out of backups
    /// (`isExcludedFromBackup`).
    ///
    /// A packed file is mapped: it loads faster, and its weights take no private memory. The first load of a GGUF file
    /// makes its copy, which takes as much space as the file; without a folder, every load packs the weights into
    /// private memory.
    public var cacheFolder: URL?
    /// The longest context of a request, in tokens; 4,096 if absent, or the model's own when that is less.
    public var contextLength: Int?
    /// How many threads work; as many as the device has performance cores if absent.
    public var threads: Int?
    /// What computes.
    public var backend: Backend
    /// The number format of keys and values.
    public var kvType: KVType

    /// The usual options, but for those given.
    public init(
        cacheFolder: URL? = nil,
        contextLength: Int? = nil,
        threads: Int? = nil,
        backend: Backend = .sotto,
        kvType: KVType = .f16
    ) {
        self.cacheFolder = cacheFolder
        self.contextLength = contextLength
        self.threads = threads
        self.backend = backend
        self.kvType = kvType
    }

    func ffi() throws -> FfiLoadOptions {
        FfiLoadOptions(
            backend: backend.ffi,
            threads: try threads.map { try UInt32($0, atLeast: 1, "the number of threads") },
            cacheFolder: cacheFolder?.path,
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
