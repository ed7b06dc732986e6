internal import SottoFFI

/// What is known about a loaded model.
public struct ModelReport: Hashable, Sendable {
    /// The weights of one quantization.
    public struct Weights: Hashable, Sendable {
        /// Its name, as GGUF has it.
        public var quantization: String
        /// How many tensors.
        public var tensors: Int
        /// Their bytes.
        public var bytes: Int
        /// The wider format that they are packed in, without loss, where there are no kernels for this one.
        public var packedAs: String?

        /// The weights of one quantization.
        public init(quantization: String, tensors: Int, bytes: Int, packedAs: String? = nil) {
            self.quantization = quantization
            self.tensors = tensors
            self.bytes = bytes
            self.packedAs = packedAs
        }
    }

    /// Its name, if the file gives one.
    public var name: String?
    /// Its architecture, as GGUF names it.
    public var architecture: String
    /// Weights in all.
    public var parameters: Int
    /// Transformer layers.
    public var layers: Int
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width of the feed-forward layer.
    public var feedForwardSize: Int
    /// Query heads.
    public var heads: Int
    /// Key and value heads.
    public var kvHeads: Int
    /// Width of a head.
    public var headSize: Int
    /// Tokens that the model can be asked to hold.
    public var modelContextLength: Int
    /// Tokens in the vocabulary.
    public var vocabSize: Int
    /// Bytes of the file.
    public var fileBytes: Int
    /// Weights by quantization.
    public var weights: [Weights]
    /// The kind of tokenizer, and its pre-tokenizer.
    public var tokenizer: String
    /// Whether the file brings its own chat template.
    public var hasChatTemplate: Bool
    /// Whether it was trained on Sotto's own task formats.
    public var tuned: Bool
    /// The arithmetic that was chosen.
    public var kernels: String
    /// Threads that work.
    public var threads: Int
    /// The context that the memory figures are for.
    public var contextLength: Int
    /// Private memory at that context.
    public var privateBytes: Int
    /// Private memory that the weights take, unless the file is packed.
    public var copiedBytes: Int
    /// Mapped memory: clean pages of the file.
    public var mappedBytes: Int
    /// Memory that the system can give now, where it says so.
    public var availableBytes: Int?
    /// Whether the private memory can be had now.
    public var fits: Bool

    /// A report.
    public init(
        name: String? = nil,
        architecture: String,
        parameters: Int,
        layers: Int,
        hiddenSize: Int,
        feedForwardSize: Int,
        heads: Int,
        kvHeads: Int,
        headSize: Int,
        modelContextLength: Int,
        vocabSize: Int,
        fileBytes: Int,
        weights: [Weights],
        tokenizer: String,
        hasChatTemplate: Bool,
        tuned: Bool,
        kernels: String,
        threads: Int,
        contextLength: Int,
        privateBytes: Int,
        copiedBytes: Int,
        mappedBytes: Int,
        availableBytes: Int? = nil,
        fits: Bool
    ) {
        self.name = name
        self.architecture = architecture
        self.parameters = parameters
        self.layers = layers
        self.hiddenSize = hiddenSize
        self.feedForwardSize = feedForwardSize
        self.heads = heads
        self.kvHeads = kvHeads
        self.headSize = headSize
        self.modelContextLength = modelContextLength
        self.vocabSize = vocabSize
        self.fileBytes = fileBytes
        self.weights = weights
        self.tokenizer = tokenizer
        self.hasChatTemplate = hasChatTemplate
        self.tuned = tuned
        self.kernels = kernels
        self.threads = threads
        self.contextLength = contextLength
        self.privateBytes = privateBytes
        self.copiedBytes = copiedBytes
        self.mappedBytes = mappedBytes
        self.availableBytes = availableBytes
        self.fits = fits
    }
}

extension ModelReport {
    init(_ ffi: FfiModelReport) {
        self.init(
            name: ffi.name,
            architecture: ffi.architecture,
            parameters: Int(clamping: ffi.parameters),
            layers: Int(ffi.layers),
            hiddenSize: Int(ffi.hiddenSize),
            feedForwardSize: Int(ffi.feedForwardSize),
            heads: Int(ffi.heads),
            kvHeads: Int(ffi.kvHeads),
            headSize: Int(ffi.headSize),
            modelContextLength: Int(ffi.modelContextLength),
            vocabSize: Int(ffi.vocabSize),
            fileBytes: Int(clamping: ffi.fileBytes),
            weights: ffi.weights.map(Weights.init),
            tokenizer: ffi.tokenizer,
            hasChatTemplate: ffi.hasChatTemplate,
            tuned: ffi.tuned,
            kernels: ffi.kernels,
            threads: Int(ffi.threads),
            contextLength: Int(ffi.contextLength),
            privateBytes: Int(clamping: ffi.privateBytes),
            copiedBytes: Int(clamping: ffi.copiedBytes),
            mappedBytes: Int(clamping: ffi.mappedBytes),
            availableBytes: ffi.availableBytes.map { Int(clamping: $0) },
            fits: ffi.fits
        )
    }
}

extension ModelReport.Weights {
    init(_ ffi: FfiWeights) {
        self.init(
            quantization: ffi.quantization, tensors: Int(ffi.tensors), bytes: Int(clamping: ffi.bytes),
            packedAs: ffi.packedAs)
    }
}
