internal import SottoFFI

/// What a file is, and how much memory its model would need.
public struct FileReport: Hashable, Sendable {
    /// A kind of model file.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A language model, or a file of unknown kind.
        case model
        /// A LoRA, which changes another model.
        case adapter
        /// A projector, which turns images or sound into a language model's embeddings.
        case projector
        /// A model that embeds or ranks texts.
        case embedding
        /// A tokenizer without weights.
        case vocabulary
        /// A draft head, which drafts tokens for another model.
        case draft
        /// A model that generates images or videos.
        case image
        /// A model for speech recognition or synthesis.
        case speech
        /// Data for other programs.
        case data
    }

    /// Whether a model can run on this device now.
    public enum Fit: String, CaseIterable, Hashable, Sendable {
        /// Enough memory is available for the context and all weights.
        case fits
        /// There is enough private memory, but not enough for all mapped weights beside it: for each token, some of
        /// them are read from storage again, and answers are slow. Use a smaller model, or a stronger quantization.
        case tight
        /// There is not enough private memory. Use a shorter context, a folder for packed copies, or a smaller model.
        case tooLarge
        /// The file cannot be run at all; ``FileReport/whyNot`` says why.
        case unsupported
    }

    /// The private memory that a context needs.
    public struct ContextMemory: Hashable, Sendable {
        /// Its length in tokens.
        public var contextLength: Int
        /// Memory of the KV cache.
        public var cacheBytes: Int
        /// Memory of KV cache and scratch space together.
        public var privateBytes: Int
        /// Whether enough memory is available now for this and the copied weights.
        public var fits: Bool

        /// The memory of a context.
        public init(contextLength: Int, cacheBytes: Int, privateBytes: Int, fits: Bool) {
            self.contextLength = contextLength
            self.cacheBytes = cacheBytes
            self.privateBytes = privateBytes
            self.fits = fits
        }
    }

    /// The kind of file.
    public var kind: Kind
    /// Whether the model can run here now, with the context that it was asked for.
    public var fit: Fit
    /// Why the model cannot be loaded here, and what to do; `nil` when it can.
    public var whyNot: String?
    /// Problems of a model that runs here, and their consequences: an unusual tokenizer, or a chat template that cannot
    /// be read.
    public var warnings: [String]
    /// Its name, if the file has one.
    public var name: String?
    /// Its architecture, by its GGUF name.
    public var architecture: String?
    /// The largest rank of an adapter's changes; `nil` for other files.
    public var adapterRank: Int?
    /// Number of parameters.
    public var parameters: Int
    /// Number of files: more than one for a split model.
    public var files: Int
    /// Size of the file, or of all files, in bytes.
    public var fileBytes: Int
    /// Whether the file is packed.
    public var packed: Bool
    /// Weights by quantization.
    public var weights: [ModelReport.Weights]
    /// The kind of tokenizer, and its pre-tokenizer; empty without one.
    public var tokenizer: String
    /// Number of tokens in the vocabulary, if the file states it.
    public var vocabSize: Int?
    /// Whether the file contains a chat template.
    public var hasChatTemplate: Bool
    /// Whether it was trained on Sotto's own task formats.
    public var tuned: Bool
    /// The model's maximum context length in tokens, if the file states it.
    public var contextLength: Int?
    /// Mapped memory that the loaded weights would need.
    public var mappedBytes: Int
    /// Private memory that they would need; 0 if the file is packed or there is a folder for packed copies.
    public var copiedBytes: Int
    /// Memory for contexts, in addition to the weights, shortest first: 2,048 tokens, 8,192, the model's maximum, and
    /// the length that the options ask for (by default 4,096, or the maximum if that is shorter).
    public var contexts: [ContextMemory]
    /// Memory that is available now, if the system reports it.
    public var availableBytes: Int?

    /// A report.
    public init(
        kind: Kind,
        fit: Fit,
        whyNot: String? = nil,
        warnings: [String] = [],
        name: String? = nil,
        architecture: String? = nil,
        adapterRank: Int? = nil,
        parameters: Int,
        files: Int,
        fileBytes: Int,
        packed: Bool,
        weights: [ModelReport.Weights],
        tokenizer: String,
        vocabSize: Int? = nil,
        hasChatTemplate: Bool,
        tuned: Bool,
        contextLength: Int? = nil,
        mappedBytes: Int,
        copiedBytes: Int,
        contexts: [ContextMemory],
        availableBytes: Int? = nil
    ) {
        self.kind = kind
        self.fit = fit
        self.whyNot = whyNot
        self.warnings = warnings
        self.name = name
        self.architecture = architecture
        self.adapterRank = adapterRank
        self.parameters = parameters
        self.files = files
        self.fileBytes = fileBytes
        self.packed = packed
        self.weights = weights
        self.tokenizer = tokenizer
        self.vocabSize = vocabSize
        self.hasChatTemplate = hasChatTemplate
        self.tuned = tuned
        self.contextLength = contextLength
        self.mappedBytes = mappedBytes
        self.copiedBytes = copiedBytes
        self.contexts = contexts
        self.availableBytes = availableBytes
    }
}

extension FileReport {
    init(_ ffi: FfiFileReport) {
        self.init(
            kind: Kind(ffi.kind),
            fit: Fit(ffi.fit),
            whyNot: ffi.whyNot,
            warnings: ffi.warnings,
            name: ffi.name,
            architecture: ffi.architecture,
            adapterRank: ffi.adapterRank.map { Int($0) },
            parameters: Int(clamping: ffi.parameters),
            files: Int(ffi.files),
            fileBytes: Int(clamping: ffi.fileBytes),
            packed: ffi.packed,
            weights: ffi.weights.map(ModelReport.Weights.init),
            tokenizer: ffi.tokenizer,
            vocabSize: ffi.vocabSize.map { Int($0) },
            hasChatTemplate: ffi.hasChatTemplate,
            tuned: ffi.tuned,
            contextLength: ffi.contextLength.map { Int($0) },
            mappedBytes: Int(clamping: ffi.mappedBytes),
            copiedBytes: Int(clamping: ffi.copiedBytes),
            contexts: ffi.contexts.map(ContextMemory.init),
            availableBytes: ffi.availableBytes.map { Int(clamping: $0) }
        )
    }
}

extension FileReport.ContextMemory {
    init(_ ffi: FfiContextMemory) {
        self.init(
            contextLength: Int(ffi.contextLength),
            cacheBytes: Int(clamping: ffi.cacheBytes),
            privateBytes: Int(clamping: ffi.privateBytes),
            fits: ffi.fits
        )
    }
}

extension FileReport.Fit {
    fileprivate init(_ ffi: FfiFit) {
        self =
            switch ffi {
            case .fits: .fits
            case .tight: .tight
            case .tooLarge: .tooLarge
            case .unsupported: .unsupported
            }
    }
}

extension FileReport.Kind {
    init(_ ffi: FfiFileKind) {
        self =
            switch ffi {
            case .model: .model
            case .adapter: .adapter
            case .projector: .projector
            case .embedding: .embedding
            case .vocabulary: .vocabulary
            case .draft: .draft
            case .image: .image
            case .speech: .speech
            case .data: .data
            }
    }
}
