import Foundation
internal import SottoFFI

/// A loaded language model.
///
/// Everything here can be called from any task, including on the main actor. Work runs on the library's own threads.
/// Cancelling a task stops its work within 100 ms. Failures are ``SottoError``s. The memory is freed once nothing
/// refers to the model or its requests.
///
/// ```swift
/// let model = try await LocalModel.load(.file(url))
/// for try await snapshot in model.summarize(.text(transcript)) { render(snapshot) }
/// ```
public final class LocalModel: Sendable {
    /// Progress of a long operation.
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

    /// The default minimum confidence. Below it, a ``Classification`` abstains.
    public static let defaultMinConfidence = 0.5

    /// The maximum context length of a request, in tokens.
    public let contextLength: Int

    let ffi: FfiModel

    private init(_ ffi: FfiModel) {
        self.ffi = ffi
        contextLength = Int(ffi.contextLength())
    }

    /// Loads a model. The first load of a GGUF file makes a packed copy (``LoadOptions/cacheFolder``); meanwhile,
    /// `onProgress` is called on a background thread.
    ///
    /// Cancelling the task ends this within 100 ms, whether a copy is being made or the weights are being packed into
    /// memory. An incomplete copy is removed.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func load(
        _ file: ModelFile,
        options: LoadOptions = LoadOptions(),
        onProgress: @Sendable (Progress) -> Void = { _ in }
    ) async throws -> LocalModel {
        let job = try translated { try SottoFFI.load(file: file.ffi, options: try options.ffi()) }
        let model = try await Work(job, snapshot: Progress.init, value: LocalModel.init).value(onSnapshot: onProgress)
        options.leaveCopiesOutOfBackups()
        return model
    }

    /// Packs the model file `source` into the new file `target`, which ``load(_:options:onProgress:)`` can map
    /// directly, on any device. `target` appears only when it is complete.
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

    /// Summarizes a note. Points and actions are quoted from the note. The elements are growing summaries, and the last of
    /// them is the complete one.
    public func summarize(
        _ note: VoiceNote,
        options: SummaryOptions = SummaryOptions()
    ) -> SottoTask<NoteSummary, NoteSummary> {
        SottoTask { [ffi] in Work(try ffi.summarize(segments: note.segments.map(\.ffi), options: options.ffi())) }
    }

    /// Summarizes many notes: several are read at the same time, as memory allows. Each element is the result of the next note. A note that
    /// cannot be summarized does not stop the others.
    public func summarizeAll(
        _ notes: [VoiceNote],
        options: SummaryOptions = SummaryOptions()
    ) -> SottoTask<Result<NoteSummary, SottoError>, Void> {
        SottoTask { [ffi] in
            let notes = notes.map { $0.segments.map(\.ffi) }
            let job = try ffi.summarizeAll(notes: notes, options: options.ffi())
            return Work(each: job, result: NoteSummary.init)
        }
    }

    /// Starts a note whose segments arrive one by one while the user speaks. The model reads them in the background.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for options out of range.
    public func noteSession(_ options: SummaryOptions = SummaryOptions()) throws -> NoteSession {
        NoteSession(ffi.noteSession(options: try options.ffi()))
    }

    /// Chooses the one of `labels` that fits a text. There must be at least two, all different, without line breaks.
    ///
    /// Below `minConfidence` the result abstains.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify(
        _ text: String,
        into labels: [String],
        minConfidence: Double = defaultMinConfidence
    ) async throws -> Classification {
        try await classify(text, into: labels.map { Classification.Label($0) }, minConfidence: minConfidence)
    }

    /// Chooses the one of `labels` that fits a text. The labels have descriptions for the model.
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

    /// Chooses the case of an enum that fits a text; `nil` if the confidence is below `minConfidence`. The model sees
    /// their raw values, and their descriptions if the enum is ``SottoDescribed``.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func classify<Value: CaseIterable & RawRepresentable & Sendable>(
        _ text: String,
        into type: Value.Type = Value.self,
        minConfidence: Double = defaultMinConfidence
    ) async throws -> Value? where Value.RawValue == String {
        let result = try await classify(text, into: Classification.labels(of: type), minConfidence: minConfidence)
        return result.abstained ? nil : Value(rawValue: result.label)
    }

    /// The vector of a text where no embedding model is at hand: the mean of the model's hidden states, with a length of 1. It is slower
    /// to compute than an ``Embedder``'s, and says less about what a text means.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func embed(_ text: String) async throws -> Embedding {
        let job = try translated { try ffi.embed(text: text) }
        return try await Work(job, value: Embedding.init).value()
    }

    /// Classifies many texts: several are read together, and their common instruction is read once. Each element is the result of the next
    /// text. A text that cannot be classified does not stop the others.
    public func classifyAll(
        _ texts: [String],
        into labels: [String],
        minConfidence: Double = defaultMinConfidence
    ) -> SottoTask<Result<Classification, SottoError>, Void> {
        classifyAll(texts, into: labels.map { Classification.Label($0) }, minConfidence: minConfidence)
    }

    /// Classifies many texts with labels that have descriptions for the model.
    public func classifyAll(
        _ texts: [String],
        into labels: [Classification.Label],
        minConfidence: Double = defaultMinConfidence
    ) -> SottoTask<Result<Classification, SottoError>, Void> {
        SottoTask { [ffi] in
            let labels = labels.map(\.ffi)
            let job = try ffi.classifyAll(texts: texts, labels: labels, minConfidence: minConfidence)
            return Work(each: job, result: Classification.init)
        }
    }

    /// Extracts a value of a `Decodable` type from a text. The answer is constrained to the type, token by token.
    ///
    /// The schema follows from what the type's `init(from:)` decodes; optional properties may be null. Enums need raw
    /// values and `CaseIterable`, or are ``SottoCases`` if their cases have values. A `Date` is a date with a time and zone (RFC 3339). A type that is ``SottoDescribed``
    /// tells the model more about its properties.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(from text: String) async throws -> Value {
        try await extract(Value.self, from: text).value
    }

    /// Like ``extract(from:)``, but with metrics.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract<Value: Decodable & Sendable>(
        _ type: Value.Type,
        from text: String
    ) async throws -> Extraction<Value> {
        let json = try await extract(from: text, schema: try JSONSchema(of: type).json)
        return Extraction(value: try decoded(type, from: json.value), metrics: json.metrics)
    }

    /// Extracts a value that fits a JSON schema from a text. Schema and value are JSON.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func extract(from text: String, schema: String) async throws -> Extraction<String> {
        let job = try translated { try ffi.extract(text: text, schema: schema) }
        return try await Work(job) { Extraction(value: $0.json, metrics: Metrics($0.metrics)) }.value()
    }

    /// Extracts a value of a `Decodable` type from each of many texts, like ``extract(from:)``. Each element is the result of the next
    /// text.
    public func extractAll<Value: Decodable & Sendable>(
        _ type: Value.Type = Value.self,
        from texts: [String]
    ) -> SottoTask<Result<Extraction<Value>, SottoError>, Void> {
        SottoTask { [ffi] in
            let job = try ffi.extractAll(texts: texts, schema: try JSONSchema(of: type).json)
            return Work(each: job) {
                Extraction(value: try decoded(type, from: $0.json), metrics: Metrics($0.metrics))
            }
        }
    }

    /// Extracts a value that fits a JSON schema from each of many texts: several are written together, and their common instruction is
    /// read once. Each element is the result of the next text. A text from which nothing can be extracted does not stop the others.
    /// Schema and values are JSON.
    public func extractAll(
        from texts: [String],
        schema: String
    ) -> SottoTask<Result<Extraction<String>, SottoError>, Void> {
        SottoTask { [ffi] in
            let job = try ffi.extractAll(texts: texts, schema: schema)
            return Work(each: job) { Extraction(value: $0.json, metrics: Metrics($0.metrics)) }
        }
    }

    /// Bytes of memory that are kept between requests: the beginnings of prompts, at most 64 MiB.
    public var cachedBytes: UInt64 { ffi.cachedBytes() }

    /// Gives back what is kept between requests, and returns its size in bytes. Call it at a memory warning; the next requests read their
    /// instructions again.
    @discardableResult
    public func trim() -> UInt64 {
        ffi.trim()
    }

    /// Starts a conversation. `instructions` tell the model how to behave; it may call the `tools`.
    ///
    /// - Throws: ``SottoError``.
    public func session(_ instructions: String? = nil, tools: [ChatTool] = []) async throws -> ChatSession {
        try await resume(instructions, history: [], tools: tools)
    }

    /// Starts a conversation in which the model writes as `style` says: with its profile after the `instructions`, and with its adapter if
    /// there is one of this model.
    ///
    /// - Throws: ``SottoError``.
    public func session(_ instructions: String? = nil, style: Style) async throws -> ChatSession {
        ChatSession(try await waiting { [ffi] in try ffi.sessionInStyle(instructions: instructions, style: style.ffi) })
    }

    /// Continues a conversation that an app has stored, with its ``ChatSession/history``.
    ///
    /// - Throws: ``SottoError``.
    public func resume(
        _ instructions: String? = nil,
        history: [ChatTurn],
        tools: [ChatTool] = []
    ) async throws -> ChatSession {
        try translated {
            let session = try ffi.resume(instructions: instructions, history: history.map(\.ffi))
            return ChatSession(tools.isEmpty ? session : try session.withTools(tools: tools.map { try $0.ffi() }))
        }
    }

    /// Continues a conversation as ``resume(_:history:tools:)``, but takes what was read of it from a file that ``ChatSession/save(to:)`` has
    /// written. The next answer then computes only what the file lacks.
    ///
    /// The file is never trusted. One that is missing, damaged, or was written with another model, other adapters, another
    /// ``LoadOptions/KVType`` or by another version is not used, and the next answer reads the conversation again: ``Metrics/reusedTokens``
    /// tells.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func resume(
        _ instructions: String? = nil,
        history: [ChatTurn],
        tools: [ChatTool] = [],
        from snapshot: URL
    ) async throws -> ChatSession {
        let job = try translated {
            try ffi.resumeFrom(instructions: instructions, history: history.map(\.ffi), snapshot: snapshot.path)
        }
        let session: FfiSession = try await Work(job, value: { $0 }).value()
        return try translated {
            ChatSession(tools.isEmpty ? session : try session.withTools(tools: tools.map { try $0.ffi() }))
        }
    }

    /// Loads an adapter (LoRA) of this model: a GGUF file in llama.cpp's format. It must have been trained with the
    /// model that this one's file was made from, in any quantization. This takes some milliseconds.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func loadAdapter(_ file: ModelFile) async throws -> Adapter {
        let job = try translated { try ffi.loadAdapter(file: file.ffi) }
        return try await Work(job, value: Adapter.init).value()
    }

    /// Who waits for a request. It decides what is computed first, and changes no answer.
    public enum Priority: CaseIterable, Hashable, Sendable {
        /// Nobody: it gives way to what a person waits for, but is never left out for long.
        case background
        /// A person.
        case foreground

        var ffi: FfiPriority {
            switch self {
            case .background: .background
            case .foreground: .foreground
            }
        }
    }

    /// The same model for requests of this priority. Everything that is loaded is shared.
    ///
    /// Requests that run at the same time share passes through the model, whichever of the two they were made with: answers are the same,
    /// and come sooner than one after the other. What a person waits for goes first; background work gets what is left of each pass.
    public func withPriority(_ priority: Priority) -> LocalModel {
        LocalModel(ffi.withPriority(priority: priority.ffi))
    }

    /// The same model with these adapters instead of its current ones. Only its own requests use them. Everything that
    /// is loaded is shared.
    ///
    /// If an adapter was trained on Sotto's own task formats, tasks use these formats.
    ///
    /// - Throws: ``SottoError``.
    public func withAdapters(_ adapters: [ScaledAdapter]) throws -> LocalModel {
        LocalModel(try translated { try ffi.withAdapters(adapters: adapters.map(\.ffi)) })
    }

    /// Learns how texts are written: trains an adapter (LoRA) of this model and writes it to `target`, for ``loadAdapter(_:)``, if texts that it was not shown became likelier and general text did not become much less likely.
    /// Otherwise what was at `target` stays, and the report says what was found.
    public func tune(
        _ texts: [String],
        to target: URL,
        options: TuneOptions = TuneOptions()
    ) -> SottoTask<TuneProgress, TuneReport> {
        SottoTask { [ffi] in
            let job = try ffi.tune(texts: texts, target: target.path, options: try options.ffi())
            return Work(job, snapshot: TuneProgress.init, value: TuneReport.init)
        }
    }

    /// Learns how the texts of `style` are written, as ``tune(_:to:options:)`` does with texts. The adapter is kept beside the store, and
    /// ``session(_:style:)`` uses it. When one of those texts is deleted, `onDeletion` says what becomes of the adapter. While learning is
    /// paused, and if texts are deleted meanwhile, nothing is kept.
    public func tune(
        _ style: Style, onDeletion: Style.OnDeletion = .drop, options: TuneOptions = TuneOptions(), at time: Date = .now
    ) -> SottoTask<TuneProgress, TuneReport> {
        SottoTask { [ffi] in
            let job = try ffi.tuneStyle(
                style: style.ffi, onDeletion: onDeletion.ffi, options: try options.ffi(), time: FfiTimestamp(time))
            return Work(job, snapshot: TuneProgress.init, value: TuneReport.init)
        }
    }

    /// This model, with the adapter of `style` if one was learnt.
    ///
    /// - Throws: ``SottoError/modelInvalid(why:at:)`` for an adapter of another model.
    public func withStyle(_ style: Style) async throws -> LocalModel {
        LocalModel(try await waiting { [ffi] in try ffi.withStyle(style: style.ffi) })
    }

    /// Says a text as the writer of `style` would. The elements are pieces of the text. It is best with an adapter that
    /// ``tune(_:to:options:)`` trained on the writer's texts; without one, small models follow a style badly.
    public func rewrite(
        _ text: String,
        style: StyleProfile,
        options: ChatOptions = ChatOptions()
    ) -> SottoTask<String, ChatReply> {
        SottoTask { [ffi] in
            let job = try ffi.rewrite(text: text, style: try style.ffi(), options: try options.ffi())
            return Work(job, snapshot: { $0 }, value: ChatReply.init)
        }
    }

    /// Reports on the model, with the memory for a context of `contextLength` tokens, by default its own context
    /// length.
    ///
    /// - Throws: ``SottoError``.
    public func inspect(contextLength: Int? = nil) async throws -> ModelReport {
        let length = try UInt32(contextLength ?? self.contextLength, atLeast: 1, "the context length")
        return ModelReport(try translated { try ffi.inspect(contextLength: length) })
    }

    /// The number of tokens in a text, without those that a chat template adds.
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

func decoded<Value: Decodable>(_ type: Value.Type, from json: String) throws -> Value {
    do {
        return try JSONDecoder.ofAnswers.decode(type, from: Data(json.utf8))
    } catch {
        // The decoder's message may contain the user's words.
        throw SottoError.invalidInput(what: "\(type) refuses the value that was read")
    }
}
