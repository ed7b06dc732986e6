internal import SottoFFI

/// What is known about a loaded model.
public struct ModelReport: Hashable, Sendable {
    /// The weights of one quantization.
    public struct Weights: Hashable, Sendable {
        /// Its name, as GGUF has it.
        public var quantization: String
        /// How many tensors.
        public var tensors: Int
        /// Their size in bytes.
        public var bytes: Int
        /// The wider format that they are packed into without loss, if there are no kernels for this format.
        public var packedAs: String?

        /// The weights of one quantization.
        public init(quantization: String, tensors: Int, bytes: Int, packedAs: String? = nil) {
            self.quantization = quantization
            self.tensors = tensors
            self.bytes = bytes
            self.packedAs = packedAs
        }
    }

    /// Its name, if the file has one.
    public var name: String?
    /// Its architecture, by its GGUF name.
    public var architecture: String
    /// Number of parameters.
    public var parameters: Int
    /// Number of transformer layers.
    public var layers: Int
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width of the feed-forward layer.
    public var feedForwardSize: Int
    /// Number of query heads.
    public var heads: Int
    /// Number of key and value heads.
    public var kvHeads: Int
    /// Width of a head.
    public var headSize: Int
    /// The model's maximum context length in tokens.
    public var modelContextLength: Int
    /// Number of tokens in the vocabulary.
    public var vocabSize: Int
    /// Size of the file in bytes.
    public var fileBytes: Int
    /// Weights by quantization.
    public var weights: [Weights]
    /// The kind of tokenizer, and its pre-tokenizer.
    public var tokenizer: String
    /// Whether the file contains a chat template.
    public var hasChatTemplate: Bool
    /// Whether it was trained on Sotto's own task formats.
    public var tuned: Bool
    /// The instruction set in use.
    public var kernels: String
    /// Number of threads.
    public var threads: Int
    /// The context length that the memory figures refer to.
    public var contextLength: Int
    /// Private memory for that context.
    public var privateBytes: Int
    /// Private memory of the weights; 0 for a packed file.
    public var copiedBytes: Int
    /// Mapped memory: clean pages of the file.
    public var mappedBytes: Int
    /// Memory that is available now, if the system reports it.
    public var availableBytes: Int?
    /// Whether that much private memory is available now.
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
