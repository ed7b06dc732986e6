import Foundation
internal import SottoFFI

/// A language model that is ready to be used.
///
/// Everything here can be called from any task, on the main actor too: work runs on the library's own threads.
/// Cancelling a task stops its work within 100 ms. Failures are ``SottoError``s. The memory is free once nothing refers
/// to the model, nor to what it was asked for.
///
/// ```swift
/// let model = try await LocalModel.load(.file(url))
/// for try await snapshot in model.summarize(.text(transcript)) { render(snapshot) }
/// ```
public final class LocalModel: Sendable {
    /// How far a long piece of work has come.
    public struct Progress: Hashable, Sendable {
        /// Bytes done.
        public var done: Int
        /// Bytes in all.
        public var total: Int

        /// A progress.
        public init(done: Int, total: Int) {
            self.done = done
            self.total = total
        }
    }

    /// A ``Classification`` that is surer than this does not abstain.
    public static let defaultMinConfidence = 0.5

    /// The longest context of a request, in tokens.
    public let contextLength: Int

    private let ffi: FfiModel

    private init(_ ffi: FfiModel) {
        self.ffi = ffi
        contextLength = Int(ffi.contextLength())
    }

    /// Loads a model. `onProgress` is told, on a background thread, how far its packed copy is while that is made
    /// (``LoadOptions/cacheFolder``).
    ///
    /// Cancelling the task ends this within 100 ms, whether a copy is made or the weights are packed into memory. Of a
    /// copy that is not complete, nothing is left.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func load(
        _ file: ModelFile,
        options: LoadOptions = LoadOptions(),
        onProgress: @Sendable (Progress) -> Void = { _ in }
    ) async throws -> LocalModel {
        let job = try translated { try SottoFFI.load(file: file.ffi, options: try options.ffi()) }
        return try await Work(job, snapshot: Progress.init, value: LocalModel.init).value(onSnapshot: onProgress)
    }

    /// Packs the model file `source` into the new file `target`, which ``load(_:options:onProgress:)`` maps as it is,
    /// on any device. `target` appears whole or not at all.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func pack(
        _ source: URL,
        to target: URL,
        onProgress: @Sendable (Progress) -> Void = { _ in }
    ) async throws {
        let job = try translated { try SottoFFI.pack(source: source.path, target: target.path) }
        try await Work(job, snapshot: Progress.init, value: { $0 }).value(onSnapshot: onProgress)
    }

    /// Summarizes a note when the result is iterated over or awaited. Points and actions are the note's own words.
    public func summarize(_ note: VoiceNote, options: SummaryOptions = SummaryOptions()) -> Summary {
        Request { [ffi] in Work(try ffi.summarize(segments: note.segments.map(\.ffi), options: options.ffi())) }
    }

    /// Begins a note whose segments come one by one, while a person speaks: the model reads along.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for options out of range.
    public func noteSession(_ options: SummaryOptions = SummaryOptions()) throws -> NoteSession {
        NoteSession(ffi.noteSession(options: try options.ffi()))
    }

    /// Which of `labels` fits a text: at least two, all different, without line breaks.
    ///
    /// Below `minConfidence` the result says that it abstains.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        into labels: [String],
        minConfidence: Double = defaultMinConfidence
    ) async throws -> Classification {
        try await classify(text, into: labels.map { Classification.Label($0) }, minConfidence: minConfidence)
    }

    /// Which of `labels` fits a text, as above, with labels whose descriptions the model is told.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        into labels: [Classification.Label],
        minConfidence: Double = defaultMinConfidence
    ) async throws -> Classification {
        let labels = labels.map(\.ffi)
        let job = try translated { try ffi.classify(text: text, labels: labels, minConfidence: minConfidence) }
        return try await Work(job, value: Classification.init).value()
    }

    /// Which case of an enumeration fits a text; `nil` where the model is surer of none than `minConfidence`. The model is told
    /// their raw values.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify<Value: CaseIterable & RawRepresentable & Sendable>(
        _ text: String,
        into type: Value.Type = Value.self,
        minConfidence: Double = defaultMinConfidence
    ) async throws -> Value? where Value.RawValue == String {
        let result = try await classify(text, into: type.allCases.map(\.rawValue), minConfidence: minConfidence)
        return result.abstained ? nil : Value(rawValue: result.label)
    }

    /// Classifies many texts, giving each result as it is ready. What their prompts share is computed once.
    public func classifyAll(
        _ texts: [String],
        into labels: [String],
        minConfidence: Double = defaultMinConfidence
    ) -> Request<Classification, Void> {
        classifyAll(texts, into: labels.map { Classification.Label($0) }, minConfidence: minConfidence)
    }

    /// Classifies many texts under labels whose descriptions the model is told.
    public func classifyAll(
        _ texts: [String],
        into labels: [Classification.Label],
        minConfidence: Double = defaultMinConfidence
    ) -> Request<Classification, Void> {
        Request { [ffi] in
            let labels = labels.map(\.ffi)
            let job = try ffi.classifyAll(texts: texts, labels: labels, minConfidence: minConfidence)
            return Work(job, snapshot: Classification.init, value: { $0 })
        }
    }

    /// Reads a value of a `Decodable` type out of a text. The answer is held to the type token by token.
    ///
    /// The type says what it wants by what its `init(from:)` decodes; optional properties may be null. Enumerations
    /// need raw values and `CaseIterable`.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(from text: String) async throws -> Value {
        try await extract(Value.self, from: text).value
    }

    /// As ``extract(from:)``, with what it cost.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(
        _ type: Value.Type,
        from text: String
    ) async throws -> Extraction<Value> {
        let json = try await extract(from: text, schema: try JSONSchema(of: type).json)
        do {
            let value = try JSONDecoder().decode(type, from: Data(json.value.utf8))
            return Extraction(value: value, metrics: json.metrics)
        } catch {
            // What the decoder says may hold the user's words.
            throw SottoError.invalidInput(what: "\(type) refuses the value that was read")
        }
    }

    /// Reads a value of a JSON schema out of a text. Schema and value are JSON.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract(from text: String, schema: String) async throws -> Extraction<String> {
        let job = try translated { try ffi.extract(text: text, schema: schema) }
        return try await Work(job) { Extraction(value: $0.json, metrics: Metrics($0.metrics)) }.value()
    }

    /// Starts a conversation. `instructions` tell the model how to behave in it.
    ///
    /// - Throws: ``SottoError``.
    public func session(_ instructions: String? = nil) async throws -> Session {
        try await resume(instructions, history: [])
    }

    /// Goes on with a conversation in which `history` was said: one that an app has kept.
    ///
    /// - Throws: ``SottoError``.
    public func resume(_ instructions: String? = nil, history: [Turn]) async throws -> Session {
        let turns = history.map { FfiTurn(question: $0.question, answer: $0.answer) }
        return Session(try translated { try ffi.resume(instructions: instructions, history: turns) })
    }

    /// Loads an adapter (LoRA) of this model: a GGUF file as llama.cpp has them, which was trained with the model that
    /// this one's file was made from, whatever its quantization. It takes some milliseconds.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func loadAdapter(_ file: ModelFile) async throws -> Adapter {
        let job = try translated { try ffi.loadAdapter(file: file.ffi) }
        return try await Work(job, value: Adapter.init).value()
    }

    /// The same model with these adapters in place of those it has: what is asked of it is computed with them, what is
    /// asked of others is not. All that is loaded is shared.
    ///
    /// An adapter that was trained on Sotto's own task formats makes tasks use them.
    ///
    /// - Throws: ``SottoError``.
    public func withAdapters(_ adapters: [ScaledAdapter]) throws -> LocalModel {
        LocalModel(try translated { try ffi.withAdapters(adapters: adapters.map(\.ffi)) })
    }

    /// Reports on the model, with the memory that a context of `contextLength` tokens takes; its own context length if
    /// absent.
    ///
    /// - Throws: ``SottoError``.
    public func inspect(contextLength: Int? = nil) async throws -> ModelReport {
        let length = try UInt32(contextLength ?? self.contextLength, atLeast: 1, "the context length")
        return ModelReport(try translated { try ffi.inspect(contextLength: length) })
    }

    /// How many tokens a text has, without those that a chat template puts around it.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func tokenCount(_ text: String) throws -> Int {
        try translated { Int(try ffi.tokenCount(text: text)) }
    }
}

extension LocalModel.Progress {
    init(_ ffi: FfiProgress) {
        self.init(done: Int(clamping: ffi.done), total: Int(clamping: ffi.total))
    }
}
