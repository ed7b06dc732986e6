package dev.sotto

import dev.sotto.internal.FfiHandoverReason
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** Why a server of the app answered instead of the device. */
@Serializable
public enum class HandoverReason {
    /** The text or the conversation is too long for the context. */
    @SerialName("contextTooLong")
    CONTEXT_TOO_LONG,

    /** The device's label was not sure enough. */
    @SerialName("lowConfidence")
    LOW_CONFIDENCE,

    /** The model is not there, or cannot be loaded on this device. */
    @SerialName("modelMissing")
    MODEL_MISSING,
}

/** When a [Fallback] answers instead of the device. */
public sealed interface Whenever {
    /** The text or the conversation is too long for the context. */
    public data object ContextTooLong : Whenever

    /**
     * The label's confidence on the device is lower.
     *
     * @property than the least confidence that is enough, 0 to 1.
     */
    @ByValue
    public class LowConfidence(public val than: Double) : Whenever

    /** The model is not there, or cannot be loaded on this device. */
    public data object ModelMissing : Whenever
}

/**
 * A server of the app that answers what the device cannot. **The user's text is then sent there**: tell the user, and ask. Nothing
 * is sent unless an app makes one of these and calls [withFallback]; each result says in [Metrics.handedOver] whether it was.
 *
 * ```
 * val server = ChatServer("https://models.example", apiKey = key)       // of dev.sotto:sotto-fallback
 * val fallback = Fallback(server, model = "llama-3.3-70b", whenever = setOf(Whenever.ContextTooLong))
 * val assistant = model.withFallback(fallback)
 * ```
 *
 * @property server posts its first argument, a JSON text, to the server's `/v1/chat/completions`, and passes the bytes of the reply on
 *   as they arrive. It throws if there is none. The SDK has no network code: `ChatServer` of `dev.sotto:sotto-fallback` does this.
 * @property model what the server calls its model.
 * @property whenever when it answers.
 */
public class Fallback(
    public val server: suspend (body: String, onBytes: suspend (ByteArray) -> Unit) -> Unit,
    public val model: String,
    public val whenever: Set<Whenever>,
) {
    /** Whether it is to find a label, as this one is not sure enough. */
    internal fun isFor(found: Classification) = whenever.any { it is Whenever.LowConfidence && found.confidence < it.than }

    /** Sends a call of the library, and reads the reply until it ends. */
    internal suspend fun <Call : AutoCloseable, T> ask(
        start: (serverModel: String) -> Call,
        body: Call.() -> String,
        read: suspend Call.(ByteArray) -> Unit,
        value: Call.() -> T,
    ): T = withContext(Dispatchers.Default) {
        translated { start(model) }.use { call ->
            server(translated { call.body() }) { bytes -> call.read(bytes) }
            translated { call.value() }
        }
    }
}

/** This model, and a server of the app for what it cannot do. */
public fun LocalModel.withFallback(fallback: Fallback): Assistant = Assistant(fallback) { this }

/** This model, loaded when it is first needed, and a server of the app for what it cannot do, or if it cannot be loaded. */
public fun SharedModel.withFallback(fallback: Fallback): Assistant = Assistant(fallback) { get() }

internal fun HandoverReason.toFfi() = when (this) {
    HandoverReason.CONTEXT_TOO_LONG -> FfiHandoverReason.CONTEXT_TOO_LONG
    HandoverReason.LOW_CONFIDENCE -> FfiHandoverReason.LOW_CONFIDENCE
    HandoverReason.MODEL_MISSING -> FfiHandoverReason.MODEL_MISSING
}

internal fun FfiHandoverReason.toReason() = when (this) {
    FfiHandoverReason.CONTEXT_TOO_LONG -> HandoverReason.CONTEXT_TOO_LONG
    FfiHandoverReason.LOW_CONFIDENCE -> HandoverReason.LOW_CONFIDENCE
    FfiHandoverReason.MODEL_MISSING -> HandoverReason.MODEL_MISSING
}
