package dev.sotto

import dev.sotto.internal.FfiServerClassify
import dev.sotto.internal.FfiServerExtract
import dev.sotto.internal.FfiServerSummarize
import dev.sotto.internal.serverClassify
import dev.sotto.internal.serverExtract
import dev.sotto.internal.serverSummarize
import kotlinx.coroutines.CancellationException
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.serializer
import kotlin.enums.enumEntries

/**
 * A model and a server of the app for what the model cannot do ([withFallback]).
 *
 * Requests begin on the device. If a condition of [Fallback.whenever] is met, the server gets the same request; its label, value or
 * quotes are checked as the device's own are. [Metrics.handedOver] of each result says whether it answered, and why. If the server
 * fails, so does the request, with what [Fallback.server] throws or [SottoException.ServerAnswer].
 */
public class Assistant internal constructor(internal val fallback: Fallback, private val load: suspend () -> LocalModel) {
    /** [LocalModel.summarize]. What the server writes that is not quoted from the note is left out. */
    public fun summarize(note: VoiceNote, options: SummaryOptions = SummaryOptions()): SottoTask<NoteSummary, NoteSummary> =
        SottoTask { onSnapshot ->
            answered(
                onDevice = { model -> model.summarize(note, options).run { snapshots.collect(onSnapshot).let { await() } } },
                byServer = { reason -> askForSummary(note, options, reason, onSnapshot).also { onSnapshot(it) } },
            )
        }

    /** [LocalModel.classify]. A server tells no probabilities: its label has the confidence 1. */
    public suspend fun classify(
        text: String,
        labels: List<String>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): Classification = classify(text, labels.map { Label(it) }, minConfidence)

    /** Like [classify], but labels have descriptions for the model. */
    @JvmName("classifyLabels")
    public suspend fun classify(
        text: String,
        labels: List<Label>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): Classification {
        val byServer: suspend (HandoverReason) -> Classification = { reason ->
            val ffiLabels = labels.map { it.toFfi() }
            fallback.ask(
                { serverClassify(text, ffiLabels, minConfidence, it, reason.toFfi()) },
                FfiServerClassify::body,
                { translated { read(it) } },
                { value().toClassification() },
            )
        }
        val found = answered({ model -> model.classify(text, labels, minConfidence) }, byServer)
        val isUnsure = found.metrics.handedOver == null && fallback.isFor(found)
        return if (isUnsure) byServer(HandoverReason.LOW_CONFIDENCE) else found
    }

    /** Chooses the constant of the enum class [E] that fits a text, like [LocalModel.classify]; null if the model is unsure. */
    public suspend inline fun <reified E : Enum<E>> classify(
        text: String,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): E? = classify(text, enumEntries<E>(), serializer<E>(), minConfidence)

    @PublishedApi
    internal suspend fun <E : Enum<E>> classify(
        text: String,
        entries: List<E>,
        serializer: KSerializer<E>,
        minConfidence: Double,
    ): E? = constantOf(entries, serializer) { classify(text, it, minConfidence) }

    /** Extracts a value of the `@Serializable` type [T] from a text, like [LocalModel.extract]. */
    public suspend inline fun <reified T> extract(text: String): T = extract(text, serializer<T>()).value

    /** Like [extract], but with a serializer and metrics. */
    public suspend fun <T> extract(text: String, serializer: KSerializer<T>): Extraction<T> =
        extractText(text, jsonSchema(serializer.descriptor).toString()).map { decode(serializer, it) }

    /** Extracts a value that fits a JSON schema from a text. */
    public suspend fun extract(text: String, schema: JsonObject): Extraction<JsonElement> =
        extractText(text, schema.toString()).map(Json::parseToJsonElement)

    /** Starts a conversation, like [LocalModel.session], but without tools. */
    public fun session(instructions: String? = null): AssistantSession = resume(instructions, emptyList())

    /** Continues a conversation with its [history] ([AssistantSession.history]). Calls of tools in it are not sent to the server. */
    public fun resume(instructions: String?, history: List<ChatTurn>): AssistantSession =
        AssistantSession(this, instructions, history)

    private suspend fun extractText(text: String, schema: String): Extraction<String> = answered(
        onDevice = { model -> model.extractText(text, schema) },
        byServer = { reason ->
            fallback.ask(
                { serverExtract(text, schema, it, reason.toFfi()) },
                FfiServerExtract::body,
                { translated { read(it) } },
                { value().toExtraction() },
            )
        },
    )

    private suspend fun askForSummary(
        note: VoiceNote,
        options: SummaryOptions,
        reason: HandoverReason,
        onSnapshot: suspend (NoteSummary) -> Unit,
    ): NoteSummary {
        val segments = note.segments.map { it.toFfi() }
        return fallback.ask(
            { serverSummarize(segments, options.toFfi(), it, reason.toFfi()) },
            FfiServerSummarize::body,
            { bytes -> translated { read(bytes) }.forEach { onSnapshot(it.toSummary()) } },
            { value().toSummary() },
        )
    }

    /** The device's answer, or the server's where it is to answer and [mayHandOver]. */
    internal suspend fun <T> answered(
        onDevice: suspend (LocalModel) -> T,
        byServer: suspend (HandoverReason) -> T,
        mayHandOver: Boolean = true,
    ): T {
        val model = try {
            load()
        } catch (error: Exception) {
            val isStopped = error is CancellationException || error is SottoException.Cancelled
            if (isStopped || !mayHandOver || Whenever.ModelMissing !in fallback.whenever) throw error
            return byServer(HandoverReason.MODEL_MISSING)
        }
        return try {
            onDevice(model)
        } catch (full: SottoException.ContextFull) {
            if (!mayHandOver || Whenever.ContextTooLong !in fallback.whenever) throw full
            byServer(HandoverReason.CONTEXT_TOO_LONG)
        }
    }
}
