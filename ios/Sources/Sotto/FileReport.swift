internal import SottoFFI

/// What a file is, and what it would take to run its model.
public struct FileReport: Hashable, Sendable {
    /// What a model file holds.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A language model, or whatever says nothing else.
        case model
        /// A LoRA, which changes another model.
        case adapter
        /// What turns images or sound into a language model's embeddings.
        case projector
        /// A model that gives vectors for texts, or ranks them.
        case embedding
        /// A tokenizer without weights.
        case vocabulary
        /// What guesses for another model.
        case draft
        /// A model that makes images or videos.
        case image
        /// A model that hears or speaks.
        case speech
        /// Data for other programs.
        case data
    }

    /// The private memory that a context takes.
    public struct ContextMemory: Hashable, Sendable {
        /// Its length in tokens.
        public var contextLength: Int
        /// That of the KV cache.
        public var cacheBytes: Int
        /// That of KV cache and scratch together.
        public var privateBytes: Int
        /// Whether this, and the copied weights, can be had now.
        public var fits: Bool

        /// The memory of a context.
        public init(contextLength: Int, cacheBytes: Int, privateBytes: Int, fits: Bool) {
            self.contextLength = contextLength
            self.cacheBytes = cacheBytes
            self.privateBytes = privateBytes
            self.fits = fits
        }
    }

    /// What the file holds.
    public var kind: Kind
    /// Why the model cannot be loaded here, and what to do; `nil` when it can.
    public var whyNot: String?
    /// What is odd about a model that runs here, and what comes of it: its tokenizer, or a chat template that cannot be
    /// read.
    public var warnings: [String]
    /// Its name, if the file gives one.
    public var name: String?
    /// Its architecture, as GGUF names it.
    public var architecture: String?
    /// The largest rank of an adapter's changes; `nil` of anything else.
    public var adapterRank: Int?
    /// Weights in all.
    public var parameters: Int
    /// Files that it is in: more than one of a split model.
    public var files: Int
    /// Bytes of the file, or of all files.
    public var fileBytes: Int
    /// Whether the file is packed.
    public var packed: Bool
    /// Weights by quantization.
    public var weights: [ModelReport.Weights]
    /// The kind of tokenizer, and its pre-tokenizer; empty without one.
    public var tokenizer: String
    /// Tokens in the vocabulary, if the file tells them.
    public var vocabSize: Int?
    /// Whether the file brings its own chat template.
    public var hasChatTemplate: Bool
    /// Whether it was trained on Sotto's own task formats.
    public var tuned: Bool
    /// Tokens that the model can be asked to hold, if the file says so.
    public var contextLength: Int?
    /// Mapped memory that the loaded weights would take.
    public var mappedBytes: Int
    /// Private memory that they would take: none, if the file is packed or there is a folder for packed
    /// copies.
    public var copiedBytes: Int
    /// What contexts take beside the weights, shortest first: 2,048 tokens, 8,192, the model's own, and the one that
    /// was asked for.
    public var contexts: [ContextMemory]
    /// Memory that the system can give now, where it says so.
    public var availableBytes: Int?

    /// A report.
    public init(
        kind: Kind,
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
