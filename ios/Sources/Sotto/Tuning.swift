import Foundation
internal import SottoFFI

/// How to train an adapter.
public struct TuneOptions: Hashable, Sendable {
    /// How long it may take; `nil` for as long as it needs.
    public var seconds: Double?
    /// How often each text is read, if there is time.
    public var epochs: Int
    /// How many numbers each change goes through, from 1 to 256.
    public var rank: Int
    /// The highest learning rate.
    public var learningRate: Float
    /// By how many nats a token held-out texts must become likelier.
    public var margin: Double
    /// By how many nats a token general text may become less likely.
    public var generalMargin: Double
    /// A file to go on from when the app was closed or the training cancelled; it is removed in the end.
    public var checkpoint: URL?

    /// The default options, except for those given.
    public init(
        seconds: Double? = nil,
        epochs: Int = 8,
        rank: Int = 16,
        learningRate: Float = 5e-4,
        margin: Double = 0.05,
        generalMargin: Double = 0.05,
        checkpoint: URL? = nil
    ) {
        self.seconds = seconds
        self.epochs = epochs
        self.rank = rank
        self.learningRate = learningRate
        self.margin = margin
        self.generalMargin = generalMargin
        self.checkpoint = checkpoint
    }

    func ffi() throws -> FfiTuneOptions {
        FfiTuneOptions(
            seconds: seconds,
            epochs: try UInt32(epochs, atLeast: 1, "the number of epochs"),
            rank: try UInt32(rank, atLeast: 1, "the rank"),
            learningRate: learningRate,
            margin: margin,
            generalMargin: generalMargin,
            checkpoint: checkpoint?.path
        )
    }
}

/// How far a training has come.
public struct TuneProgress: Hashable, Sendable {
    /// Steps done.
    public var step: Int
    /// All steps.
    public var steps: Int
    /// Tokens read so far.
    public var tokens: Int
    /// The loss of the last step's texts, in nats per token.
    public var loss: Double
    /// An estimate of what is left.
    public var secondsLeft: Double

    init(_ ffi: FfiTuneProgress) {
        step = Int(ffi.step)
        steps = Int(ffi.steps)
        tokens = Int(clamping: ffi.tokens)
        loss = ffi.loss
        secondsLeft = ffi.secondsLeft
    }
}

/// What came of a training. Losses are in nats per token.
public struct TuneReport: Hashable, Sendable {
    /// Whether the adapter was good enough, and was written.
    public var kept: Bool
    /// What its change was multiplied with to spare general text: 1 if that was not needed.
    public var strength: Float
    /// The loss of held-out texts without the adapter.
    public var heldOutBefore: Double
    /// The loss of held-out texts with it.
    public var heldOutAfter: Double
    /// The loss of general text without the adapter.
    public var generalBefore: Double
    /// The loss of general text with it.
    public var generalAfter: Double
    /// Steps done.
    public var steps: Int
    /// Tokens read.
    public var tokens: Int
    /// How long it took, judging not counted.
    public var seconds: Double

    init(_ ffi: FfiTuneReport) {
        kept = ffi.kept
        strength = ffi.strength
        heldOutBefore = ffi.heldOutBefore
        heldOutAfter = ffi.heldOutAfter
        generalBefore = ffi.generalBefore
        generalAfter = ffi.generalAfter
        steps = Int(ffi.steps)
        tokens = Int(clamping: ffi.tokens)
        seconds = ffi.seconds
    }
}
