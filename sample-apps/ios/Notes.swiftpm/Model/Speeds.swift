import Sotto

/// How fast the latest requests were, for a plot.
public struct Speeds: Sendable {
    /// One request.
    public struct Run: Identifiable, Hashable, Sendable {
        /// Counts up from 1.
        public let id: Int
        /// What it cost.
        public let metrics: Metrics
    }

    /// As many as are kept.
    public static let limit = 30

    /// The oldest first.
    public private(set) var runs: [Run] = []

    /// No runs.
    public init() {}

    /// Adds a request that came to its end.
    public mutating func add(_ metrics: Metrics) {
        runs.append(Run(id: (runs.last?.id ?? 0) + 1, metrics: metrics))
        runs = runs.suffix(Self.limit)
    }
}
