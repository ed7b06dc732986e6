internal import SottoFFI

/// The label of a text.
public struct Classification: Hashable, Sendable {
    /// Something that a text may be sorted under.
    public struct Label: Hashable, Sendable {
        /// Its name: a word or a few, as the model would write it.
        public var name: String
        /// When it fits. The model is told.
        public var description: String?

        /// A label.
        public init(_ name: String, description: String? = nil) {
            self.name = name
            self.description = description
        }
    }

    /// A label, and how probable it is among the labels.
    public struct Score: Hashable, Sendable {
        /// The label's name.
        public var label: String
        /// Its probability, 0 to 1.
        public var probability: Double

        /// A score.
        public init(label: String, probability: Double) {
            self.label = label
            self.probability = probability
        }
    }

    /// The name of the most probable label.
    public var label: String
    /// Its probability among the labels, 0 to 1.
    public var confidence: Double
    /// Every label with its probability, in the order given; they add up to 1.
    public var scores: [Score]
    /// Whether ``confidence`` is below the least that was asked for.
    public var abstained: Bool
    /// What it cost.
    public var metrics: Metrics

    /// A classification.
    public init(label: String, confidence: Double, scores: [Score], abstained: Bool, metrics: Metrics) {
        self.label = label
        self.confidence = confidence
        self.scores = scores
        self.abstained = abstained
        self.metrics = metrics
    }
}

extension Classification.Label {
    var ffi: FfiLabel { FfiLabel(name: name, description: description) }
}

extension Classification {
    init(_ ffi: FfiClassification) {
        self.init(
            label: ffi.label,
            confidence: ffi.confidence,
            scores: ffi.scores.map { Score(label: $0.label, probability: $0.probability) },
            abstained: ffi.abstained,
            metrics: Metrics(ffi.metrics)
        )
    }
}
