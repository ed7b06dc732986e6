/// A value read out of a text.
public struct Extraction<Value: Sendable>: Sendable {
    /// The value; it fits the schema.
    public var value: Value
    /// What it cost.
    public var metrics: Metrics

    /// An extraction.
    public init(value: Value, metrics: Metrics) {
        self.value = value
        self.metrics = metrics
    }
}
