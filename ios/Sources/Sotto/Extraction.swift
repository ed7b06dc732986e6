/// A value extracted from a text.
public struct Extraction<Value: Sendable>: Sendable {
    /// The value; it fits the schema.
    public var value: Value
    /// Time, tokens and memory it took.
    public var metrics: Metrics

    /// An extraction.
    public init(value: Value, metrics: Metrics) {
        self.value = value
        self.metrics = metrics
    }
}
