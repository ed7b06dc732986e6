internal import SottoFFI

/// A loaded adapter (LoRA): a small change to a model that applies only to selected requests.
///
/// ```swift
/// let formal = try await model.loadAdapter(.file(url))
/// let summary = try await model.withAdapters([ScaledAdapter(formal)]).summarize(note).value
/// ```
///
/// Its memory is freed once nothing refers to it or to a model or session that uses it.
public final class Adapter: Sendable {
    /// Its rank: the largest inner dimension of its changes.
    public let rank: Int
    /// Bytes of private memory that it needs, however many requests use it.
    public let privateBytes: Int

    fileprivate let ffi: FfiAdapter

    init(_ ffi: FfiAdapter) {
        self.ffi = ffi
        rank = Int(ffi.rank())
        privateBytes = Int(clamping: ffi.privateBytes())
    }
}

/// An adapter with its scale.
public struct ScaledAdapter: Sendable {
    /// The adapter.
    public var adapter: Adapter
    /// The factor for its change to the model: 1 for the trained effect, 0 for none.
    public var scale: Float

    /// An adapter with its scale.
    public init(_ adapter: Adapter, scale: Float = 1) {
        self.adapter = adapter
        self.scale = scale
    }

    var ffi: FfiScaledAdapter {
        FfiScaledAdapter(adapter: adapter.ffi, scale: scale)
    }
}
