import Foundation
internal import SottoFFI

/// A text's vector.
public struct Embedding: Hashable, Sendable, Codable {
    /// The vector. Its length is 1, so the dot product of two vectors is the cosine of their angle.
    public var values: [Float]
    /// The number of tokens that were read.
    public var tokens: Int
    /// Whether the text is longer than the model's limit: then only its beginning was read.
    public var truncated: Bool

    /// An embedding.
    public init(values: [Float], tokens: Int, truncated: Bool) {
        self.values = values
        self.tokens = tokens
        self.truncated = truncated
    }

    init(_ ffi: FfiEmbedding) {
        values = ffi.values.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: MemoryLayout<UInt32>.size).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
        tokens = Int(ffi.tokens)
        truncated = ffi.truncated
    }

    /// How alike two texts are: 1 for equal ones, around 0 for unrelated ones.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for vectors of different models.
    public func similarity(to other: Embedding) throws -> Float {
        guard values.count == other.values.count else {
            throw SottoError.invalidInput(what: "the vectors are of different models")
        }
        return zip(values, other.values).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

/// An embedding model (BERT) that is ready to be used, from any task. The memory is free once nothing refers to it, nor to what it was
/// asked for.
///
/// ```swift
/// let embedder = try await Embedder.load(.file(folder))
/// let similarity = try await embedder.embed("Buy milk.").similarity(to: embedder.embed("We are out of bread."))
/// ```
public final class Embedder: Sendable {
    /// Private memory that an embedding model takes.
    public struct Memory: Hashable, Sendable {
        /// Bytes of the weights and, estimated, the vocabulary.
        public var weights: Int
        /// Bytes of each request while it runs, at most.
        public var pass: Int
        /// Bytes that the system can give now, where it says so.
        public var available: Int?

        init(_ ffi: FfiEmbeddingMemory) {
            weights = Int(clamping: ffi.weights)
            pass = Int(clamping: ffi.pass)
            available = ffi.available.map { Int(clamping: $0) }
        }
    }

    let ffi: FfiEmbedder

    private init(_ ffi: FfiEmbedder) {
        self.ffi = ffi
    }

    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`, as sentence-transformers writes it. So many
    /// `threads` compute; one for each fast core where it is `nil`.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func load(_ folder: ModelFile, threads: Int? = nil) async throws -> Embedder {
        let threads = try threads.map { try UInt32($0, atLeast: 1, "the number of threads") }
        let job = try translated { try SottoFFI.loadEmbedder(folder: folder.ffi, threads: threads) }
        return try await Work(job, value: Embedder.init).value()
    }

    /// What it takes.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func memory() throws -> Memory {
        Memory(try translated { try ffi.memory() })
    }

    /// The memory that a model would take. Nothing but its description is read.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func memory(of folder: ModelFile) async throws -> Memory {
        let job = try translated { try SottoFFI.embedderMemoryOf(folder: folder.ffi) }
        return try await Work(job, value: Memory.init).value()
    }

    /// How many numbers a vector has.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func dimensions() throws -> Int {
        Int(try translated { try ffi.dimensions() })
    }

    /// The maximum number of tokens of a text that are read, with two that the model adds.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func maxTokens() throws -> Int {
        Int(try translated { try ffi.maxTokens() })
    }

    /// The vector of a text. Of a text that is too long, the beginning is read, and ``Embedding/truncated`` says so.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func embed(_ text: String) async throws -> Embedding {
        let job = try translated { try ffi.embed(text: text) }
        return try await Work(job, value: Embedding.init).value()
    }

    /// The vectors of texts, in their order, as ``embed(_:)`` gives them. Short texts are computed together, which is faster.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func embedAll(_ texts: [String]) async throws -> [Embedding] {
        let job = try translated { try ffi.embedAll(texts: texts) }
        return try await Work(job, value: { $0.all.map(Embedding.init) }).value()
    }
}
