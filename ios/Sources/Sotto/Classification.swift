internal import SottoFFI

/// The label of a text.
public struct Classification: Hashable, Sendable {
    /// A label that a text can get.
    public struct Label: Hashable, Sendable {
        /// Its name: one or a few words, as the model would write it.
        public var name: String
        /// A description for the model: when the label fits.
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
    /// Its probability among the given labels, 0 to 1.
    public var confidence: Double
    /// Each label with its probability, in the given order. The probabilities add up to 1.
    public var scores: [Score]
    /// Whether ``confidence`` is below the requested minimum.
    public var abstained: Bool
    /// Time, tokens and memory it took.
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

extension Classification {
    /// The labels that the cases of an enum stand for.
    static func labels<Value: CaseIterable & RawRepresentable>(of type: Value.Type) throws -> [Label]
    where Value.RawValue == String {
        let descriptions = (type as? any SottoDescribed.Type)?.descriptions ?? [:]
        let names = type.allCases.map(\.rawValue)
        if let unknown = descriptions.keys.first(where: { !names.contains($0) }) {
            throw SottoError.invalidInput(what: "\(type) describes \(unknown), which is none of its cases")
        }
        return names.map { Label($0, description: descriptions[$0]) }
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
