internal import SottoFFI

/// What a summary shall be like.
public struct SummaryOptions: Hashable, Sendable {
    /// The language of title and overview, by its English name (`"German"`); `nil` for the note's own. Points and actions stay
    /// in the note's words. A model tuned for notes copies its title and overview from the note, too: it ignores this.
    public var language: String?
    /// The most points. Where a note has more, those about its main topics are kept.
    public var maxPoints: Int
    /// The most actions; `nil` for all. Where a note has more, those with a due date or an owner are kept first.
    public var maxActions: Int?

    /// The usual options, except those given.
    public init(language: String? = nil, maxPoints: Int = 20, maxActions: Int? = nil) {
        self.language = language
        self.maxPoints = maxPoints
        self.maxActions = maxActions
    }

    func ffi() throws -> FfiSummaryOptions {
        FfiSummaryOptions(
            language: language,
            maxPoints: try UInt32(maxPoints, atLeast: 0, "the most points"),
            maxActions: try maxActions.map { try UInt32($0, atLeast: 0, "the most actions") }
        )
    }
}
