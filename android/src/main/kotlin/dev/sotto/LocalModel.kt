package dev.sotto

import dev.sotto.internal.FfiClassifyAllJob
import dev.sotto.internal.FfiClassifyJob
import dev.sotto.internal.FfiExtractJob
import dev.sotto.internal.FfiLoadJob
import dev.sotto.internal.FfiModel
import dev.sotto.internal.FfiPackJob
import dev.sotto.internal.FfiProgress
import dev.sotto.internal.FfiSummarizeJob
import dev.sotto.internal.FfiTurn
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.serializer
import java.io.File
import kotlin.enums.enumEntries

/**
 * A language model that is ready to be used.
 *
 * Everything here can be called from any thread, the main thread too: work runs on the library's own threads. Cancelling
 * a coroutine stops its work within 100 ms. Failures are [SottoException]s.
 *
 * ```
 * val model = LocalModel.load(ModelFile.path(file))
 * model.summarize(VoiceNote.text(transcript)).collect { render(it) }
 * ```
 *
 * @property contextLength the longest context of a request, in tokens.
 */
public class LocalModel private constructor(private val ffi: FfiModel, public val contextLength: Int) : AutoCloseable {
    /** Summarizes a note when the result is collected or awaited. Points and actions are the note's own words. */
    public fun summarize(note: VoiceNote, options: SummaryOptions = SummaryOptions()): SummaryFlow {
        val segments = note.segments.map { it.toFfi() }
        return SummaryFlow { open().summarize(segments, options.toFfi()).request() }
    }

    /** Begins a note whose segments come one by one, while a person speaks: it is summarized sooner after its end. */
    @JvmOverloads
    public fun noteSession(options: SummaryOptions = SummaryOptions()): NoteSession =
        translated { NoteSession(open().noteSession(options.toFfi())) }

    /**
     * Which of [labels] fits a text: at least two, all different, without line breaks.
     *
     * Below [minConfidence] the result says that it abstains.
     */
    public suspend fun classify(
        text: String,
        labels: List<String>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Classification = classify(text, labels.map { Label(it) }, minConfidence)

    /** As [classify], with labels whose descriptions the model is told. */
    @JvmName("classifyLabels")
    public suspend fun classify(
        text: String,
        labels: List<Label>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Classification = valueOf { open().classify(text, labels.map { it.toFfi() }, minConfidence).request() }

    /**
     * Which constant of the enum class [E] fits a text; null where that is surer of none than [minConfidence].
     *
     * The model is told their names, or what `@SerialName` calls them where the class is `@Serializable`.
     */
    public suspend inline fun <reified E : Enum<E>> classify(
        text: String,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): E? = classify(text, enumEntries<E>(), serializer<E>(), minConfidence)

    @PublishedApi
    @OptIn(ExperimentalSerializationApi::class)
    internal suspend fun <E : Enum<E>> classify(
        text: String,
        entries: List<E>,
        serializer: KSerializer<E>,
        minConfidence: Double,
    ): E? {
        val names = entries.map { serializer.descriptor.getElementName(it.ordinal) }
        val result = classify(text, names, minConfidence)
        return if (result.abstained) null else entries[names.indexOf(result.label)]
    }

    /** Classifies many texts, giving each result as it is ready. What their prompts share is computed once. */
    @JvmOverloads
    public fun classifyAll(
        texts: List<String>,
        labels: List<String>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Flow<Classification> = classifyAll(texts, labels.map { Label(it) }, minConfidence)

    /** As [classifyAll], with labels whose descriptions the model is told. */
    @JvmName("classifyAllLabels")
    @JvmOverloads
    public fun classifyAll(
        texts: List<String>,
        labels: List<Label>,
        minConfidence: Double = DEFAULT_MIN_CONFIDENCE,
    ): Flow<Classification> = snapshotsOf { open().classifyAll(texts, labels.map { it.toFfi() }, minConfidence).request() }

    /**
     * Reads a value of the `@Serializable` type [T] out of a text. The answer is held to the type token by token.
     *
     * Properties with a default value may be left out by the model; nullable ones may be null.
     */
    public suspend inline fun <reified T> extract(text: String): T = extract(text, serializer<T>()).value

    /** As [extract], with a serializer, and with what it cost. */
    public suspend fun <T> extract(text: String, serializer: KSerializer<T>): Extraction<T> {
        val (json, metrics) = extractText(text, jsonSchema(serializer.descriptor).toString())
        return Extraction(decode(serializer, json), metrics)
    }

    /** Reads a value of a JSON schema out of a text. */
    public suspend fun extract(text: String, schema: JsonObject): Extraction<JsonElement> {
        val (json, metrics) = extractText(text, schema.toString())
        return Extraction(Json.parseToJsonElement(json), metrics)
    }

    /** Starts a conversation. [instructions] tell the model how to behave in it. */
    public suspend fun session(instructions: String? = null): Session = resume(instructions, emptyList())

    /** Goes on with a conversation in which [history] was said: one that an app has kept. */
    public suspend fun resume(instructions: String?, history: List<Turn>): Session {
        val turns = history.map { FfiTurn(it.question, it.answer) }
        return closingUnlessDelivered { made -> native { Session(open().resume(instructions, turns)).also(made) } }
    }

    /**
     * Loads an adapter (LoRA) of this model: a GGUF file as llama.cpp has them, which was trained with the model that this
     * one's file was made from, whatever its quantization. It takes some milliseconds.
     */
    public suspend fun loadAdapter(file: ModelFile): Adapter =
        closingUnlessDelivered { made -> valueOf { open().loadAdapter(file.ffi).request(made) } }

    /**
     * The same model with these adapters in place of those it has: what is asked of it is computed with them, what is asked
     * of others is not. All that is loaded is shared; both are to be closed.
     *
     * An adapter that was trained on Sotto's own task formats makes tasks use them.
     */
    public fun withAdapters(adapters: List<ScaledAdapter>): LocalModel =
        translated { LocalModel(open().withAdapters(adapters.toFfi()), contextLength) }

    /** Reports on the model, with the memory that a context of [contextLength] tokens takes. */
    public suspend fun inspect(contextLength: Int = this.contextLength): ModelReport {
        requireInput(contextLength > 0, "the context length must be at least 1")
        return native { open().inspect(contextLength.toUInt()).toReport() }
    }

    /** How many tokens a text has, without those that a chat template puts around it. */
    public fun tokenCount(text: String): Int = translated { open().tokenCount(text).toInt() }

    /**
     * Gives the model back. Can be called at any time, from any thread: what is running runs to its end (cancel its
     * coroutine to stop it), and the memory is free once that and every session of the model is closed.
     */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiModel {
        check(!ffi.uniffiIsDestroyed) { "the model is closed" }
        return ffi
    }

    internal suspend fun extractText(text: String, schema: String): Extraction<String> =
        valueOf { open().extract(text, schema).request() }

    /** How to get a model. */
    public companion object {
        /** A [Classification] that is surer than this does not abstain. */
        public const val DEFAULT_MIN_CONFIDENCE: Double = 0.5

        /**
         * Loads a model. [onProgress] is told, on a background thread, how far its packed copy is while that is made
         * ([LoadOptions.cacheFolder]).
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
         * Packs the model file [source] into the new file [target], which [load] maps as it is, on any device. [target]
         * appears whole or not at all.
         */
        public suspend fun pack(source: File, target: File, onProgress: suspend (Progress) -> Unit = {}): Unit =
            valueOf(onProgress) { dev.sotto.internal.pack(source.path, target.path).request() }

        private fun FfiLoadJob.request(made: (LocalModel) -> Unit): Request<Progress, LocalModel> {
            val load = { model: FfiModel -> LocalModel(model, model.contextLength().toInt()).also(made) }
            return Request(this, { next()?.toProgress() }, { load(value()) }, ::cancel)
        }
    }
}

/** A coroutine that is cancelled at the last moment never sees what was made for it. */
internal suspend fun <T : AutoCloseable> closingUnlessDelivered(make: suspend (made: (T) -> Unit) -> T): T {
    var undelivered: T? = null
    return try {
        make { undelivered = it }
    } catch (cancelled: CancellationException) {
        undelivered?.close()
        throw cancelled
    }
}

/** A serializer may refuse what the schema of its type allows. What it says then quotes the text. */
private fun <T> decode(serializer: KSerializer<T>, json: String): T = try {
    Json.decodeFromString(serializer, json)
} catch (_: IllegalArgumentException) {
    val type = serializer.descriptor.serialName
    throw SottoException.InvalidInput("the serializer of $type refuses a value that fits the type's schema")
}

private fun FfiProgress.toProgress() = Progress(done.toLong(), total.toLong())

private fun FfiPackJob.request() = Request(this, { next()?.toProgress() }, ::value, ::cancel)

internal fun FfiSummarizeJob.request() = Request(this, { next()?.toSummary() }, { value().toSummary() }, ::cancel)

private fun FfiClassifyJob.request() = Request<Nothing, _>(this, { null }, { value().toClassification() }, ::cancel)

private fun FfiClassifyAllJob.request() = Request(this, { next()?.toClassification() }, ::value, ::cancel)

private fun FfiExtractJob.request() =
    Request<Nothing, _>(this, { null }, { value().let { Extraction(it.json, it.metrics.toMetrics()) } }, ::cancel)
