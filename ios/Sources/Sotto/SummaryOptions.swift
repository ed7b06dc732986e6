internal import SottoFFI

/// Options for a summary.
public struct SummaryOptions: Hashable, Sendable {
    /// The language of title and overview, by its English name (`"German"`); `nil` for the note's own. Points and
    /// actions are always quoted from the note. A model that is tuned for notes also copies title and overview, so it
    /// ignores this.
    public var language: String?
    /// The maximum number of points. If a note has more, those about its main topics are kept.
    public var maxPoints: Int
    /// The maximum number of actions; `nil` for all. If a note has more, those with a due date or an owner are kept
    /// first.
    public var maxActions: Int?

    /// The default options, except for those given.
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
