import Foundation
internal import SottoFFI

/// A classifier with a person's own labels, from ``Personal/classifier(_:labels:minConfidence:)``, which learns from corrections. Without
/// examples, it says what the language model says; with each lesson, examples that are alike count more, as far as they are right more often
/// than the model.
///
/// ```swift
/// let feed = try personal.classifier("feed", labels: ["front", "later", "hide"].map { .init($0) })
/// let judged = try await feed.classify(headline, by: model, embedder: embedder)
/// if judged.label != wanted { try await feed.learn(headline, label: wanted, source: "reader") }
/// ```
public final class Classifier: Sendable {
    private let ffi: FfiClassifier
    private let personal: Personal

    init(_ ffi: FfiClassifier, of personal: Personal) {
        self.ffi = ffi
        self.personal = personal
    }

    /// Learns the label of a text, unless learning is paused. A text that already is an example gets this label instead of the one before.
    /// No model is needed: the next classification shows the example to the models. `source` is where the text came from, as the user would
    /// call it.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for an empty text or another label than the classifier's.
    @discardableResult
    public func learn(
        _ text: String, label: String, source: String, at time: Date = .now
    ) async throws -> Personal.Learnt {
        try await waiting { [ffi] in
            Personal.Learnt(try ffi.learn(text: text, label: label, source: source, time: FfiTimestamp(time)))
        }
    }

    /// The label of a text: what `model` says, and what examples of similar texts say. Without an `embedder`, the language model's own hidden
    /// states tell which are similar, which is slower and less exact.
    ///
    /// Examples that these models have not seen are shown to them first: one that was just learnt, or all if other models saw them.
    /// `onProgress` tells how many, on a background thread.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        by model: LocalModel,
        embedder: Embedder? = nil,
        onProgress: @Sendable (LocalModel.Progress) -> Void = { _ in }
    ) async throws -> PersonalClassification {
        let job = try translated { try ffi.classify(model: model.ffi, embedder: embedder?.ffi, text: text) }
        let work = Work(job, snapshot: LocalModel.Progress.init, value: PersonalClassification.init)
        return try await work.value(onSnapshot: onProgress)
    }
}

/// The label of a text for this person.
public struct PersonalClassification: Hashable, Sendable {
    /// An example that is similar to a text.
    public struct Example: Identifiable, Hashable, Sendable {
        /// The id of its record.
        public let id: Int
        /// Its text.
        public let text: String
        /// Its label.
        public let label: String
        /// 1 for the same text, around 0 for an unrelated one.
        public let similarity: Float
    }

    /// The name of the most probable label.
    public let label: String
    /// Its probability among the given labels, 0 to 1.
    public let confidence: Double
    /// Each label with its probability, in the given order. The probabilities add up to 1.
    public let scores: [Classification.Score]
    /// Whether `confidence` is below the requested minimum: then the app should ask.
    public let abstained: Bool
    /// The most similar examples, the nearest first: the reasons.
    public let nearest: [Example]
    /// What asking the language model took; `nil` if the text is too long for it, so that only the examples count.
    public let metrics: Metrics?

    init(_ ffi: FfiPersonalClassification) {
        label = ffi.label
        confidence = ffi.confidence
        scores = ffi.scores.map { Classification.Score(label: $0.label, probability: $0.probability) }
        abstained = ffi.abstained
        nearest = ffi.nearest.map {
            Example(id: Int(clamping: $0.id), text: $0.text, label: $0.label, similarity: $0.similarity)
        }
        metrics = ffi.metrics.map(Metrics.init)
    }
}

extension Personal {
    /// A classifier with these labels, which learns from the examples of a collection. Below `minConfidence` it abstains. Examples with other
    /// labels stay in the store, and count again when their labels come back.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for fewer than two labels, and for repeated or empty names.
    public func classifier(
        _ collection: String,
        labels: [Classification.Label],
        minConfidence: Double = LocalModel.defaultMinConfidence
    ) throws -> Classifier {
        let labels = labels.map(\.ffi)
        let made = try translated {
            try ffi.classifier(collection: collection, labels: labels, minConfidence: minConfidence)
        }
        return Classifier(made, of: self)
    }
}
