internal import SottoFFI

/// A model and a server of the app for what the model cannot do (``LocalModel/withFallback(_:)``).
///
/// Requests begin on the device. If a condition of ``Fallback/whenever`` is met, the server gets the same request; its label, value or
/// quotes are checked as the device's own are. ``Metrics/handedOver`` of each result says whether it answered, and why. If the server fails,
/// so does the request, with what ``Fallback/server`` throws or ``SottoError/serverAnswer(why:)``.
public final class Assistant: Sendable {
    let fallback: Fallback
    private let load: @Sendable () async throws -> LocalModel

    init(_ fallback: Fallback, load: @escaping @Sendable () async throws -> LocalModel) {
        self.fallback = fallback
        self.load = load
    }

    /// Summarizes a note, like ``LocalModel/summarize(_:options:)``. What the server writes that is not quoted from the note is left out.
    public func summarize(
        _ note: VoiceNote,
        options: SummaryOptions = SummaryOptions()
    ) -> SottoTask<NoteSummary, NoteSummary> {
        SottoTask { [self] in
            Work(last: { $0 }) { [self] report in
                try await answered { model in
                    let task = model.summarize(note, options: options)
                    // The last is the value.
                    for try await summary in task where summary.metrics == nil { report(summary) }
                    return try await task.value
                } byServer: { [self] reason in
                    let call = try serverSummarize(
                        segments: note.segments.map(\.ffi), options: try options.ffi(), serverModel: fallback.model,
                        reason: reason.ffi)
                    let value = try await fallback.ask(call) { call, bytes in
                        try call.read(bytes: bytes).map(NoteSummary.init).forEach(report)
                    }
                    return NoteSummary(value)
                }
            }
        }
    }

    /// Chooses the one of `labels` that fits a text, like ``LocalModel/classify(_:into:minConfidence:)``. A server tells no probabilities:
    /// its label has the confidence 1.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        into labels: [String],
        minConfidence: Double = LocalModel.defaultMinConfidence
    ) async throws -> Classification {
        try await classify(text, into: labels.map { Classification.Label($0) }, minConfidence: minConfidence)
    }

    /// Chooses the one of `labels` that fits a text. The labels have descriptions for the model.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        into labels: [Classification.Label],
        minConfidence: Double = LocalModel.defaultMinConfidence
    ) async throws -> Classification {
        try await translated {
            let byServer: @Sendable (HandoverReason) async throws -> Classification = { [fallback] reason in
                let call = try serverClassify(
                    text: text, labels: labels.map(\.ffi), minConfidence: minConfidence, serverModel: fallback.model,
                    reason: reason.ffi)
                return Classification(try await fallback.ask(call) { try $0.read(bytes: $1) })
            }
            let found = try await answered(
                onDevice: { try await $0.classify(text, into: labels, minConfidence: minConfidence) },
                byServer: byServer
            )
            let isUnsure = found.metrics.handedOver == nil && fallback.isFor(found)
            return isUnsure ? try await byServer(.lowConfidence) : found
        }
    }

    /// Chooses the case of an enum that fits a text; `nil` if the confidence is below `minConfidence`.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func classify<Value: CaseIterable & RawRepresentable & Sendable>(
        _ text: String,
        into type: Value.Type = Value.self,
        minConfidence: Double = LocalModel.defaultMinConfidence
    ) async throws -> Value? where Value.RawValue == String {
        let result = try await classify(text, into: Classification.labels(of: type), minConfidence: minConfidence)
        return result.abstained ? nil : Value(rawValue: result.label)
    }

    /// Extracts a value of a `Decodable` type from a text, like ``LocalModel/extract(from:)``.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(from text: String) async throws -> Value {
        try await extract(Value.self, from: text).value
    }

    /// Like ``extract(from:)``, but with metrics.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(
        _ type: Value.Type,
        from text: String
    ) async throws -> Extraction<Value> {
        let json = try await extract(from: text, schema: try JSONSchema(of: type).json)
        return Extraction(value: try decoded(type, from: json.value), metrics: json.metrics)
    }

    /// Extracts a value that fits a JSON schema from a text. Schema and value are JSON.
    ///
    /// - Throws: ``SottoError``, what ``Fallback/server`` throws, or `CancellationError` when the task is cancelled.
    public func extract(from text: String, schema: String) async throws -> Extraction<String> {
        try await translated {
            try await answered {
                try await $0.extract(from: text, schema: schema)
            } byServer: { [fallback] reason in
                let call = try serverExtract(
                    text: text, schema: schema, serverModel: fallback.model, reason: reason.ffi)
                let found = try await fallback.ask(call) { try $0.read(bytes: $1) }
                return Extraction(value: found.json, metrics: Metrics(found.metrics))
            }
        }
    }

    /// Starts a conversation, like ``LocalModel/session(_:tools:)``, but without tools.
    public func session(_ instructions: String? = nil) -> AssistantSession {
        resume(instructions, history: [])
    }

    /// Continues a conversation with its ``AssistantSession/history``. Calls of tools in it are not sent to the server.
    public func resume(_ instructions: String? = nil, history: [ChatTurn]) -> AssistantSession {
        AssistantSession(self, instructions, history)
    }

    /// The device's answer, or the server's where it is to answer and `mayHandOver`.
    func answered<Value>(
        mayHandOver: Bool = true,
        onDevice: @Sendable (LocalModel) async throws -> Value,
        byServer: @Sendable (HandoverReason) async throws -> Value
    ) async throws -> Value {
        let model: LocalModel
        do {
            model = try await load()
        } catch {
            let isStopped = error is CancellationError || error as? SottoError == .cancelled
            guard !isStopped, mayHandOver, fallback.whenever.contains(.modelMissing) else {
                throw error is SottoError || error is CancellationError ? error : ForeignError(error: error)
            }
            return try await byServer(.modelMissing)
        }
        do {
            return try await onDevice(model)
        } catch SottoError.contextFull where mayHandOver && fallback.whenever.contains(.contextTooLong) {
            return try await byServer(.contextTooLong)
        }
    }
}
