internal import SottoFFI

/// An adapter (LoRA) of a model, ready to be used: a small change of it, for some requests and not for others.
///
/// ```swift
/// let formal = try await model.loadAdapter(.file(url))
/// let summary = try await model.withAdapters([ScaledAdapter(formal)]).summarize(note).value
/// ```
///
/// The memory is free once nothing refers to it, nor to a model or session with it.
public final class Adapter: Sendable {
    /// How many numbers its changes go through, at most.
    public let rank: Int
    /// Private memory that it takes, however many requests use it.
    public let privateBytes: Int

    fileprivate let ffi: FfiAdapter

    init(_ ffi: FfiAdapter) {
        self.ffi = ffi
        rank = Int(ffi.rank())
        privateBytes = Int(clamping: ffi.privateBytes())
    }
}

/// An adapter, and how much of it.
public struct ScaledAdapter: Sendable {
    /// The adapter.
    public var adapter: Adapter
    /// What its change of the model is multiplied with: 1 as it was trained, 0 for nothing.
    public var scale: Float

    /// An adapter, and how much of it.
    public init(_ adapter: Adapter, scale: Float = 1) {
        self.adapter = adapter
        self.scale = scale
    }

    var ffi: FfiScaledAdapter {
        FfiScaledAdapter(adapter: adapter.ffi, scale: scale)
    }
}
