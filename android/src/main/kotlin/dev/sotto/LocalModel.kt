package dev.sotto

import dev.sotto.internal.FfiClassification
import dev.sotto.internal.FfiClassifyAllJob
import dev.sotto.internal.FfiClassifyJob
import dev.sotto.internal.FfiExtractAllJob
import dev.sotto.internal.FfiExtractJob
import dev.sotto.internal.FfiExtraction
import dev.sotto.internal.FfiLoadJob
import dev.sotto.internal.FfiModel
import dev.sotto.internal.FfiPackJob
import dev.sotto.internal.FfiProgress
import dev.sotto.internal.FfiResumeJob
import dev.sotto.internal.FfiSession
import dev.sotto.internal.FfiSummarizeAllJob
import dev.sotto.internal.FfiSummarizeJob
import kotlinx.coroutines.CancellationException
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.serializer
import java.io.File
import java.time.OffsetDateTime
import kotlin.enums.enumEntries

/**
 * A loaded language model.
 *
 * Everything here can be called from any thread, including the main thread. Work runs on the library's own threads.
 * Cancelling a coroutine stops its work within 100 ms. Failures are [SottoException]s.
 *
 * ```
 * val model = LocalModel.load(ModelFile.path(file))
 * model.summarize(VoiceNote.text(transcript)).snapshots.collect { render(it) }
 * ```
 *
 * @property contextLength the maximum context length of a request, in tokens.
 */
public class LocalModel internal constructor(private val ffi: FfiModel, public val contextLength: Int) : AutoCloseable {
    /**
     * Summarizes a note. Points and actions are quoted from the note. The snapshots grow, and the last of them is the
     * complete summary.
     */
    @JvmOverloads
    public fun summarize(note: VoiceNote, options: SummaryOptions = SummaryOptions()): SottoTask<NoteSummary, NoteSummary> {
        val segments = note.segments.map { it.toFfi() }
        return summaryTask { open().summarize(segments, options.toFfi()).request() }
    }

    /**
     * Summarizes many notes: several are read at the same time, as memory allows. Each snapshot is the result of the next note. A note
     * that cannot be summarized does not stop the others.
     */
    @JvmOverloads
    public fun summarizeAll(
        notes: List<VoiceNote>,
        options: SummaryOptions = SummaryOptions(),
    ): SottoTask<TextResult<NoteSummary>, Unit> {
        val segments = notes.map { note -> note.segments.map { it.toFfi() } }
        return taskOf { open().summarizeAll(segments, options.toFfi()).request() }
    }

    /** Starts a note whose segments arrive one by one while the user speaks, so that its summary is ready sooner. */
    @JvmOverloads
    public fun noteSession(options: SummaryOptions = SummaryOptions()): NoteSession =
        translated { NoteSession(open().noteSession(options.toFfi())) }

    /**
     * Chooses the one of [labels] that fits a text. There must be at least two, all different, without line breaks.
     *
     * Below [minConfidence] the result abstains.
     */
    public suspend fun classify(
        text: String,
        labels: List<String>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Classification = classify(text, labels.map { Label(it) }, minConfidence)

    /** Like [classify], but labels have descriptions for the model. */
    @JvmName("classifyLabels")
    public suspend fun classify(
        text: String,
        labels: List<Label>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Classification = valueOf { open().classify(text, labels.map { it.toFfi() }, minConfidence).request() }

    /**
     * Chooses the constant of the enum class [E] that fits a text; null if the confidence is below [minConfidence].
     *
     * The model sees their names. If the class is `@Serializable`, it sees their `@SerialName` and [Description].
     */
    public suspend inline fun <reified E : Enum<E>> classify(
        text: String,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): E? = classify(text, enumEntries<E>(), serializer<E>(), minConfidence)

    @PublishedApi
    internal suspend fun <E : Enum<E>> classify(
        text: String,
        entries: List<E>,
        serializer: KSerializer<E>,
        minConfidence: Double,
    ): E? = constantOf(entries, serializer) { classify(text, it, minConfidence) }

    /**
     * Classifies many texts: several are read together, and their common instruction is read once. Each snapshot is the
     * result of the next text. A text that cannot be classified does not stop the others.
     */
    @JvmOverloads
    public fun classifyAll(
        texts: List<String>,
        labels: List<String>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): SottoTask<TextResult<Classification>, Unit> = classifyAll(texts, labels.map { Label(it) }, minConfidence)

    /** Like [classifyAll], but labels have descriptions for the model. */
    @JvmName("classifyAllLabels")
    @JvmOverloads
    public fun classifyAll(
        texts: List<String>,
        labels: List<Label>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): SottoTask<TextResult<Classification>, Unit> =
        taskOf { open().classifyAll(texts, labels.map { it.toFfi() }, minConfidence).request { it.toClassification() } }

    /**
     * Extracts a value of the `@Serializable` type [T] from a text. The answer is constrained to the type, token by
     * token.
     *
     * The model may omit properties with a default value; nullable ones may be null. A [Description] tells it more about
     * a property. A `kotlin.time.Instant` is a date with a time and zone; a sealed class is one of its subclasses.
     */
    public suspend inline fun <reified T> extract(text: String): T = extract(text, serializer<T>()).value

    /** Like [extract], but with a serializer and metrics. */
    public suspend fun <T> extract(text: String, serializer: KSerializer<T>): Extraction<T> =
        extractText(text, jsonSchema(serializer.descriptor).toString()).map { decode(serializer, it) }

    /** Extracts a value that fits a JSON schema from a text. */
    public suspend fun extract(text: String, schema: JsonObject): Extraction<JsonElement> =
        extractText(text, schema.toString()).map(Json::parseToJsonElement)

    /** Like the other [extractAll], for values of the `@Serializable` type [T]. */
    public inline fun <reified T> extractAll(texts: List<String>): SottoTask<TextResult<Extraction<T>>, Unit> =
        extractAll(texts, serializer<T>())

    /** Like the other [extractAll], with a serializer. */
    public fun <T> extractAll(texts: List<String>, serializer: KSerializer<T>): SottoTask<TextResult<Extraction<T>>, Unit> =
        extractAllTexts(texts, jsonSchema(serializer.descriptor).toString()) { decode(serializer, it) }

    /**
     * Extracts a value that fits a JSON schema from each of many texts: several are written together, and their common
     * instruction is read once. Each snapshot is the result of the next text. A text from which nothing can be extracted
     * does not stop the others.
     */
    public fun extractAll(texts: List<String>, schema: JsonObject): SottoTask<TextResult<Extraction<JsonElement>>, Unit> =
        extractAllTexts(texts, schema.toString(), Json::parseToJsonElement)

    /** Starts a conversation. [instructions] tell the model how to behave; it may call the [tools]. */
    public suspend fun session(instructions: String? = null, tools: List<ChatTool> = emptyList()): ChatSession =
        resume(instructions, emptyList(), tools)

    /** Continues a conversation that an app has stored, with its [history] ([ChatSession.history]). */
    public suspend fun resume(
        instructions: String?,
        history: List<ChatTurn>,
        tools: List<ChatTool> = emptyList(),
    ): ChatSession = closingUnlessDelivered { made ->
        native { open().resume(instructions, history.map { it.toFfi() }).with(tools).also(made) }
    }

    /**
     * Continues a conversation as [resume], but takes what was read of it from a file that [ChatSession.save] has written. The next answer
     * then computes only what the file lacks.
     *
     * The file is never trusted. One that is missing, damaged, or was written with another model, other adapters, another [KvType] or by
     * another version is not used, and the next answer reads the conversation again: [Metrics.reusedTokens] tells.
     */
    public suspend fun resumeFrom(
        snapshot: File,
        instructions: String?,
        history: List<ChatTurn>,
        tools: List<ChatTool> = emptyList(),
    ): ChatSession = closingUnlessDelivered { made ->
        val turns = history.map { it.toFfi() }
        valueOf { open().resumeFrom(instructions, turns, snapshot.path).request(tools, made) }
    }

    /**
     * Loads an adapter (LoRA) of this model: a GGUF file in llama.cpp's format. It must have been trained with the
     * model that this one's file was made from, in any quantization. This takes some milliseconds.
     */
    public suspend fun loadAdapter(file: ModelFile): Adapter =
        closingUnlessDelivered { made -> valueOf { open().loadAdapter(file.ffi).request(made) } }

    /**
     * The same model with these adapters instead of its current ones. Only its own requests use them. Everything that
     * is loaded is shared. Close both models.
     *
     * If an adapter was trained on Sotto's own task formats, tasks use these formats.
     */
    public fun withAdapters(adapters: List<ScaledAdapter>): LocalModel =
        translated { LocalModel(open().withAdapters(adapters.toFfi()), contextLength) }

    /**
     * The same model for requests of this priority. Everything that is loaded is shared. Close both models.
     *
     * Requests that run at the same time share passes through the model, whichever of the two they were made with: answers are the
     * same, and come sooner than one after the other. What a person waits for goes first; background work gets what is left of each
     * pass.
     */
    public fun withPriority(priority: RequestPriority): LocalModel =
        translated { LocalModel(open().withPriority(priority.toFfi()), contextLength) }

    /** Reports on the model, with the memory for a context of [contextLength] tokens. */
    public suspend fun inspect(contextLength: Int = this.contextLength): ModelReport {
        requireInput(contextLength > 0, "the context length must be at least 1")
        return native { open().inspect(contextLength.toUInt()).toReport() }
    }

    /** The number of tokens in a text, without those that a chat template adds. */
    public fun tokenCount(text: String): Int = translated { open().tokenCount(text).toInt() }

    /** Bytes of memory that are kept between requests: the beginnings of prompts, at most 64 MiB. */
    public val cachedBytes: Long get() = translated { open().cachedBytes().toLong() }

    /**
     * Gives back what is kept between requests, and returns its size in bytes. Call it in `onTrimMemory`; the next requests
     * read their instructions again.
     */
    public fun trim(): Long = translated { open().trim().toLong() }

    /**
     * Releases the model. Can be called at any time, from any thread. Running work continues to its end (cancel its
     * coroutine to stop it), and the memory is freed once it and all sessions of the model are closed.
     */
    override fun close(): Unit = ffi.close()

    internal fun open(): FfiModel {
        check(!ffi.uniffiIsDestroyed) { "the model is closed" }
        return ffi
    }

    internal suspend fun extractText(text: String, schema: String): Extraction<String> =
        valueOf { open().extract(text, schema).request() }

    internal fun <T> extractAllTexts(
        texts: List<String>,
        schema: String,
        decoded: (String) -> T,
    ): SottoTask<TextResult<Extraction<T>>, Unit> = taskOf {
        open().extractAll(texts, schema).request { it.toExtraction().map(decoded) }
    }

    /** Loads and packs models. */
    public companion object {
        /** The default minimum confidence. Below it, a [Classification] abstains. */
        public const val DEFAULT_MIN_CONFIDENCE: Double = 0.5

        /**
         * Loads a model. While a packed copy is being made ([LoadOptions.cacheFolder]), [onProgress] is called on a
         * background thread.
         */
        public suspend fun load(
            file: ModelFile,
            options: LoadOptions = LoadOptions(),
            onProgress: suspend (Progress) -> Unit = {},
        ): LocalModel = closingUnlessDelivered { made ->
            valueOf(onProgress) {
                javaLoad
                dev.sotto.internal.load(file.ffi, options.toFfi()).request(made)
            }
        }

        /**
         * Packs the model file [source] into the new file [target], which [load] can map directly, on any device.
         * [target] appears only when it is complete.
         */
        public suspend fun pack(source: File, target: File, onProgress: suspend (Progress) -> Unit = {}): Unit =
            valueOf(onProgress) { dev.sotto.internal.pack(source.path, target.path).request() }

        private fun FfiLoadJob.request(made: (LocalModel) -> Unit): Request<Progress, LocalModel> {
            val load = { model: FfiModel -> LocalModel(model, model.contextLength().toInt()).also(made) }
            return Request(this, { next()?.toProgress() }, { load(value()) }, ::cancel)
        }
    }
}

/** If a coroutine is cancelled at the last moment, nobody receives the result, so it is closed here. */
internal suspend fun <T : AutoCloseable> closingUnlessDelivered(make: suspend (made: (T) -> Unit) -> T): T {
    var undelivered: T? = null
    return try {
        make { undelivered = it }
    } catch (cancelled: CancellationException) {
        undelivered?.close()
        throw cancelled
    }
}

/** A serializer may reject a value that the schema of its type allows. Its message would quote the text. */
internal fun <T> decode(serializer: KSerializer<T>, json: String): T = try {
    Json.decodeFromString(serializer, json)
} catch (_: IllegalArgumentException) {
    val type = serializer.descriptor.serialName
    throw SottoException.InvalidInput("the serializer of $type refuses a value that fits the type's schema")
}

internal fun FfiProgress.toProgress() = Progress(done.toLong(), total.toLong())

private fun FfiSession.with(tools: List<ChatTool>) =
    ChatSession(if (tools.isEmpty()) this else use { it.withTools(tools.map { tool -> tool.toFfi() }) })

private fun FfiResumeJob.request(tools: List<ChatTool>, made: (ChatSession) -> Unit) =
    Request<Nothing, _>(this, { null }, { value().with(tools).also(made) }, ::cancel)

private fun FfiPackJob.request() = Request(this, { next()?.toProgress() }, ::value, ::cancel)

internal fun FfiSummarizeJob.request() = Request(this, { next()?.toSummary() }, { value().toSummary() }, ::cancel)

private fun FfiSummarizeAllJob.request() = Request(this, { textResult(::next) { it.toSummary() } }, ::value, ::cancel)

private fun FfiClassifyJob.request() = Request<Nothing, _>(this, { null }, { value().toClassification() }, ::cancel)

private fun <T> FfiClassifyAllJob.request(convert: (FfiClassification) -> T) =
    Request(this, { textResult(::next, convert) }, ::value, ::cancel)

private fun FfiExtractJob.request() = Request<Nothing, _>(this, { null }, { value().toExtraction() }, ::cancel)

private fun <T> FfiExtractAllJob.request(convert: (FfiExtraction) -> T) =
    Request(this, { textResult(::next, convert) }, ::value, ::cancel)
