internal import SottoFFI

/// Time, tokens and memory of a request.
public struct Metrics: Codable, Hashable, Sendable {
    /// Seconds from the start of the request to the first token of the answer.
    public var timeToFirstToken: Double
    /// Prompt tokens that were computed.
    public var prefillTokens: Int
    /// Seconds spent on them.
    public var prefillSeconds: Double
    /// Prompt tokens that were already in the cache and cost nothing.
    public var reusedTokens: Int
    /// Tokens of the answer.
    public var decodeTokens: Int
    /// Seconds spent on them.
    public var decodeSeconds: Double
    /// Bytes of private memory of this request.
    public var privateBytes: Int
    /// Bytes of the mapped model file: clean pages, which the system can reclaim at any time.
    public var mappedBytes: Int
    /// The instruction set in use.
    public var kernels: String
    /// Number of threads.
    public var threads: Int
    /// Why a server of the app answered instead of the device (``Fallback``); `nil` if the device did. Of a server's answer, tokens are what
    /// the server says of them, or 0, and memory is 0.
    public var handedOver: HandoverReason?

    /// Metrics.
    public init(
        timeToFirstToken: Double,
        prefillTokens: Int,
        prefillSeconds: Double,
        reusedTokens: Int,
        decodeTokens: Int,
        decodeSeconds: Double,
        privateBytes: Int,
        mappedBytes: Int,
        kernels: String,
        threads: Int,
        handedOver: HandoverReason? = nil
    ) {
        self.timeToFirstToken = timeToFirstToken
        self.prefillTokens = prefillTokens
        self.prefillSeconds = prefillSeconds
        self.reusedTokens = reusedTokens
        self.decodeTokens = decodeTokens
        self.decodeSeconds = decodeSeconds
        self.privateBytes = privateBytes
        self.mappedBytes = mappedBytes
        self.kernels = kernels
        self.threads = threads
        self.handedOver = handedOver
    }

    /// Prompt tokens per second; 0 if there were none.
    public var prefillTokensPerSecond: Double { rate(prefillTokens, prefillSeconds) }

    /// Answer tokens per second; 0 if there were none.
    public var decodeTokensPerSecond: Double { rate(decodeTokens, decodeSeconds) }
}

private func rate(_ count: Int, _ seconds: Double) -> Double {
    seconds > 0 ? Double(count) / seconds : 0
}

extension Metrics {
    init(_ ffi: FfiMetrics) {
        self.init(
            timeToFirstToken: ffi.timeToFirstToken,
            prefillTokens: Int(ffi.prefillTokens),
            prefillSeconds: ffi.prefillSeconds,
            reusedTokens: Int(ffi.reusedTokens),
            decodeTokens: Int(ffi.decodeTokens),
            decodeSeconds: ffi.decodeSeconds,
            privateBytes: Int(clamping: ffi.privateBytes),
            mappedBytes: Int(clamping: ffi.mappedBytes),
            kernels: ffi.kernels,
            threads: Int(ffi.threads),
            handedOver: ffi.handedOver.map(HandoverReason.init)
        )
    }
}
