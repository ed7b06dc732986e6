package dev.sotto

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.future
import java.io.File
import java.util.concurrent.CompletableFuture
import java.util.function.Consumer

/**
 * The API for Java, with futures instead of suspending functions and flows.
 *
 * Cancelling a future stops its work. Futures complete on background threads, and consumers are called there.
 */
public object SottoFutures {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    /** [LocalModel.load]; [onProgress] reports the progress of the packed copy. */
    @JvmStatic
    @JvmOverloads
    public fun load(
        file: ModelFile,
        options: LoadOptions = LoadOptions(),
        onProgress: Consumer<Progress> = Consumer {},
    ): CompletableFuture<LocalModel> = scope.future { LocalModel.load(file, options, onProgress::accept) }

    /** [LocalModel.loadAdapter]. */
    @JvmStatic
    public fun loadAdapter(model: LocalModel, file: ModelFile): CompletableFuture<Adapter> =
        scope.future { model.loadAdapter(file) }

    /** [Tokenizer.load]. */
    @JvmStatic
    public fun loadTokenizer(file: ModelFile): CompletableFuture<Tokenizer> = scope.future { Tokenizer.load(file) }

    /** [LocalModel.pack]; [onProgress] reports the progress. */
    @JvmStatic
    @JvmOverloads
    public fun pack(source: File, target: File, onProgress: Consumer<Progress> = Consumer {}): CompletableFuture<Unit> =
        scope.future { LocalModel.pack(source, target, onProgress::accept) }

    /** [LocalModel.summarize]; [onSnapshot] receives the growing summary. */
    @JvmStatic
    @JvmOverloads
    public fun summarize(
        model: LocalModel,
        note: VoiceNote,
        options: SummaryOptions = SummaryOptions(),
        onSnapshot: Consumer<NoteSummary> = Consumer {},
    ): CompletableFuture<NoteSummary> = run(model.summarize(note, options), onSnapshot)

    /** [LocalModel.summarizeAll]; [onResult] receives each result when it is ready, and the future all of them. */
    @JvmStatic
    @JvmOverloads
    public fun summarizeAll(
        model: LocalModel,
        notes: List<VoiceNote>,
        options: SummaryOptions = SummaryOptions(),
        onResult: Consumer<TextResult<NoteSummary>> = Consumer {},
    ): CompletableFuture<List<TextResult<NoteSummary>>> = all(model.summarizeAll(notes, options), onResult)

    /** [NoteSession.finish]; [onSnapshot] receives the growing summary. */
    @JvmStatic
    @JvmOverloads
    public fun finish(session: NoteSession, onSnapshot: Consumer<NoteSummary> = Consumer {}): CompletableFuture<NoteSummary> =
        run(session.finish(), onSnapshot)

    /** [LocalModel.classify]. */
    @JvmStatic
    @JvmOverloads
    public fun classify(
        model: LocalModel,
        text: String,
        labels: List<String>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): CompletableFuture<Classification> = scope.future { model.classify(text, labels, minConfidence) }

    /** [LocalModel.classify] with labels that have descriptions for the model. */
    @JvmStatic
    @JvmName("classifyLabels")
    @JvmOverloads
    public fun classify(
        model: LocalModel,
        text: String,
        labels: List<Label>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): CompletableFuture<Classification> = scope.future { model.classify(text, labels, minConfidence) }

    /** [LocalModel.classifyAll]; [onResult] receives each result when it is ready, and the future all of them. */
    @JvmStatic
    @JvmOverloads
    public fun classifyAll(
        model: LocalModel,
        texts: List<String>,
        labels: List<String>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
        onResult: Consumer<TextResult<Classification>> = Consumer {},
    ): CompletableFuture<List<TextResult<Classification>>> = all(model.classifyAll(texts, labels, minConfidence), onResult)

    /** [LocalModel.classifyAll] with labels that have descriptions for the model. */
    @JvmStatic
    @JvmName("classifyAllLabels")
    @JvmOverloads
    public fun classifyAll(
        model: LocalModel,
        texts: List<String>,
        labels: List<Label>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
        onResult: Consumer<TextResult<Classification>> = Consumer {},
    ): CompletableFuture<List<TextResult<Classification>>> = all(model.classifyAll(texts, labels, minConfidence), onResult)

    /** [LocalModel.extract] with a JSON schema, as texts. */
    @JvmStatic
    public fun extractJson(model: LocalModel, text: String, schema: String): CompletableFuture<Extraction<String>> =
        scope.future { model.extractText(text, schema) }

    /** [LocalModel.extractAll] with a JSON schema, as texts; [onResult] receives each result when it is ready. */
    @JvmStatic
    @JvmOverloads
    public fun extractAllJson(
        model: LocalModel,
        texts: List<String>,
        schema: String,
        onResult: Consumer<TextResult<Extraction<String>>> = Consumer {},
    ): CompletableFuture<List<TextResult<Extraction<String>>>> = all(model.extractAllTexts(texts, schema) { it }, onResult)

    /** [LocalModel.session]. */
    @JvmStatic
    @JvmOverloads
    public fun session(model: LocalModel, instructions: String? = null): CompletableFuture<ChatSession> =
        scope.future { model.session(instructions) }

    /** [LocalModel.resume]. */
    @JvmStatic
    public fun resume(model: LocalModel, instructions: String?, history: List<ChatTurn>): CompletableFuture<ChatSession> =
        scope.future { model.resume(instructions, history) }

    /** [LocalModel.resumeFrom]. */
    @JvmStatic
    public fun resumeFrom(
        model: LocalModel,
        snapshot: File,
        instructions: String?,
        history: List<ChatTurn>,
    ): CompletableFuture<ChatSession> = scope.future { model.resumeFrom(snapshot, instructions, history) }

    /** [ChatSession.save]. */
    @JvmStatic
    public fun save(session: ChatSession, file: File): CompletableFuture<Unit> = scope.future { session.save(file) }

    /** [ChatSession.fork]. */
    @JvmStatic
    public fun fork(session: ChatSession): CompletableFuture<ChatSession> = scope.future { session.fork() }

    /** [ChatSession.contextUsed]. */
    @JvmStatic
    public fun contextUsed(session: ChatSession): CompletableFuture<Int> = scope.future { session.contextUsed() }

    /** [ChatSession.prewarm]. */
    @JvmStatic
    public fun prewarm(session: ChatSession): CompletableFuture<Unit> = scope.future { session.prewarm() }

    /** [ChatSession.respond]; [onText] receives the answer piece by piece. */
    @JvmStatic
    @JvmOverloads
    public fun respond(
        session: ChatSession,
        text: String,
        options: ChatOptions = ChatOptions(),
        onText: Consumer<String> = Consumer {},
    ): CompletableFuture<ChatReply> = run(session.stream(text, options), onText)

    /** [LocalModel.inspect], at the model's context length. */
    @JvmStatic
    public fun inspect(model: LocalModel): CompletableFuture<ModelReport> = scope.future { model.inspect() }

    /** [ModelFile.inspect]. */
    @JvmStatic
    @JvmOverloads
    public fun inspect(file: ModelFile, options: LoadOptions = LoadOptions()): CompletableFuture<FileReport> =
        scope.future { file.inspect(options) }

    internal fun <Snapshot : Any, Value> run(task: SottoTask<Snapshot, Value>, onSnapshot: Consumer<Snapshot>) = scope.future {
        task.snapshots.collect(onSnapshot::accept)
        task.await()
    }

    private fun <T : Any> all(task: SottoTask<T, Unit>, onResult: Consumer<T>) =
        scope.future { task.snapshots.onEach(onResult::accept).toList() }
}
