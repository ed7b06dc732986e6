import Foundation
internal import SottoFFI

/// A collection of items that can be recommended, from ``Personal/items(_:)``.
///
/// ```swift
/// let recipes = try personal.items("recipes")
/// try await recipes.put([.init(id: "cake", text: "Chocolate cake with cream", tags: ["sweet"])])
/// try await recipes.record("cake", .opened)
/// for found in try await recipes.recommend() { show(found.id, found.reason) }
/// ```
public final class Items: Sendable {
    private let ffi: FfiItems
    private let personal: Personal

    init(_ ffi: FfiItems, of personal: Personal) {
        self.ffi = ffi
        self.personal = personal
    }

    /// Adds items, unless learning is paused. An item with a known id replaces that one, and keeps its events; one that is
    /// equal to it changes nothing, so an app may put all its items whenever it starts.
    @discardableResult
    public func put(_ items: [Item], at time: Date = .now) async throws -> Personal.Learnt {
        try await waiting { [ffi] in
            Personal.Learnt(try ffi.put(items: items.map(\.ffi), at: FfiTimestamp(time)))
        }
    }

    /// Records what the user did with an item, unless learning is paused.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` if the item was never put.
    @discardableResult
    public func record(_ item: String, _ event: Event, at time: Date = .now) async throws -> Personal.Learnt {
        try await waiting { [ffi] in
            Personal.Learnt(try ffi.record(item: item, event: event.ffi, time: FfiTimestamp(time)))
        }
    }

    /// Records several events in one step, which is much faster than one by one.
    @discardableResult
    public func recordAll(_ events: [ItemEvent]) async throws -> Personal.Learnt {
        try await waiting { [ffi] in Personal.Learnt(try ffi.recordAll(events: events.map(\.ffi))) }
    }

    /// Deletes an item and its events, as ``Personal/delete(_:)`` does.
    @discardableResult
    public func remove(_ item: String) async throws -> Personal.Deletion {
        try await personal.rewriting { [ffi] _ in try ffi.remove(item: item, now: FfiTimestamp(.now)) }
    }

    /// The items that the user probably wants now, the best first, each with the reason. Without any events, these are the
    /// newest items, or those that are similar to `near`.
    ///
    /// - Parameters:
    ///   - near: what the items should be similar to, if anything.
    ///   - limit: how many items at most.
    ///   - now: the time. Habits are those of the hours and weekdays in `zone`.
    ///   - zone: the user's time zone.
    ///   - again: whether items that the user finished may come again: recipes may, articles may not.
    ///   - exploration: how likely each item but the first is one that the user never used, to find out: 0 to 1.
    ///   - seed: the seed of this chance; by default the time.
    public func recommend(
        near: Near? = nil, limit: Int = 5, now: Date = .now, zone: TimeZone = .current, again: Bool = true,
        exploration: Double = 0.05, seed: UInt64? = nil
    ) async throws -> [Recommendation] {
        let query = FfiQuery(
            near: near?.ffi, limit: try UInt32(limit, atLeast: 0, "limit"), now: FfiTimestamp(now, in: zone),
            again: again, exploration: exploration, seed: seed)
        return try await waiting { [ffi] in try ffi.recommend(query: query).map(Recommendation.init) }
    }

    /// Something that an app can recommend.
    public struct Item: Identifiable, Hashable, Sendable {
        /// The app's own name of it.
        public var id: String
        /// What it says: title and content.
        public var text: String
        /// Its topics.
        public var tags: [String]
        /// An embedding of the text. All items of a collection with one need the same number of dimensions.
        public var vector: [Float]?

        /// An item.
        public init(id: String, text: String, tags: [String] = [], vector: [Float]? = nil) {
            self.id = id
            self.text = text
            self.tags = tags
            self.vector = vector
        }

        init(_ ffi: FfiItem) {
            self.init(id: ffi.id, text: ffi.text, tags: ffi.tags, vector: ffi.vector)
        }

        fileprivate var ffi: FfiItem {
            FfiItem(id: id, text: text, tags: tags, vector: vector)
        }
    }

    /// What a user did with an item.
    public enum Event: Hashable, Sendable, CaseIterable {
        /// It was shown.
        case seen
        /// It was opened.
        case opened
        /// The user said that it is liked.
        case liked
        /// The user said that it is not wanted. It is not recommended again until another event says otherwise.
        case dismissed
        /// It was read, cooked or watched to its end.
        case finished

        init(_ ffi: FfiEvent) {
            self =
                switch ffi {
                case .seen: .seen
                case .opened: .opened
                case .liked: .liked
                case .dismissed: .dismissed
                case .finished: .finished
                }
        }

        fileprivate var ffi: FfiEvent {
            switch self {
            case .seen: .seen
            case .opened: .opened
            case .liked: .liked
            case .dismissed: .dismissed
            case .finished: .finished
            }
        }
    }

    /// One thing that the user did with an item.
    public struct ItemEvent: Hashable, Sendable {
        /// The item's id.
        public var item: String
        /// What was done.
        public var event: Event
        /// When.
        public var time: Date
        /// The user's time zone then: habits are those of its hours and weekdays.
        public var zone: TimeZone

        /// What the user did with an item, and when.
        public init(_ item: String, _ event: Event, at time: Date, in zone: TimeZone = .current) {
            self.item = item
            self.event = event
            self.time = time
            self.zone = zone
        }

        fileprivate var ffi: FfiItemEvent {
            FfiItemEvent(item: item, event: event.ffi, time: FfiTimestamp(time, in: zone))
        }
    }

    /// What recommended items should be similar to.
    public enum Near: Hashable, Sendable {
        /// A text, such as a search or the page that is open, and its embedding if the items have some.
        case text(text: String, vector: [Float]? = nil)
        /// Another item. It is not recommended itself.
        case item(id: String)

        fileprivate var ffi: FfiNear {
            switch self {
            case .text(let text, let vector): .text(text: text, vector: vector)
            case .item(let id): .item(id: id)
            }
        }
    }

    /// An item to show.
    public struct Recommendation: Identifiable, Hashable, Sendable {
        /// The item's id.
        public let id: String
        /// How well it fits. Only the order of the scores of one call means something.
        public let score: Float
        /// What spoke for it most.
        public let reason: Reason

        init(_ ffi: FfiRecommendation) {
            id = ffi.id
            score = ffi.score
            reason = Reason(ffi.reason)
        }
    }

    /// Why an item is recommended. An app words it for its user.
    public enum Reason: Hashable, Sendable {
        /// It is similar to what was asked for: up to three words that both have.
        case near(words: [String])
        /// It is similar to what the user likes: the id of the most similar of the most used items.
        case taste(like: String)
        /// The user often uses it, or others with its tags, at this hour or on this weekday, where 0 is Monday.
        case habit(hour: Int, weekday: Int)
        /// The user uses it often.
        case popular(uses: Int)
        /// The user used it lately.
        case recent(last: Date)
        /// It is new.
        case new(since: Date)
        /// The user never used it; it is shown to find out.
        case exploration

        init(_ ffi: FfiReason) {
            self =
                switch ffi {
                case .near(let words): .near(words: words)
                case .taste(let like): .taste(like: like)
                case .habit(let hour, let weekday): .habit(hour: Int(hour), weekday: Int(weekday))
                case .popular(let uses): .popular(uses: Int(uses))
                case .recent(let last): .recent(last: last.date)
                case .new(let since): .new(since: since.date)
                case .exploration: .exploration
                }
        }
    }
}
