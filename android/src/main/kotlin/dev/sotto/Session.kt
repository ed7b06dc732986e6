package dev.sotto

import dev.sotto.internal.FfiPrewarmJob
import dev.sotto.internal.FfiRespondJob
import dev.sotto.internal.FfiSession
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.Serializable

/**
 * A finished answer of a session.
 *
 * @property text what the model wrote.
 * @property metrics time, tokens and memory it took.
 */
public data class Reply(public val text: String, public val metrics: Metrics)

/**
 * A question and its answer.
 *
 * @property question the user's message.
 * @property answer the model's answer.
 */
@Serializable
public data class Turn(public val question: String, public val answer: String)

/**
 * A conversation. It keeps its history, and only new tokens are computed.
 *
 * Safe to use from any thread. It answers one question at a time; a second question waits for the first. Of a cancelled
 * answer, the part written so far is kept. An answer that failed or had no words yet leaves the conversation unchanged.
 */
public class Session internal constructor(private val ffi: FfiSession) : AutoCloseable {
    /**
     * Asks something each time it is collected, and streams the answer piece by piece. Pieces never split a character.
     */
    @JvmOverloads
    public fun stream(text: String, options: ChatOptions = ChatOptions()): Flow<String> = snapshotsOf { start(text, options) }

    /**
     * Asks something and returns the complete answer. [onText] receives its pieces as they arrive, on a background
     * thread.
     */
    public suspend fun respond(
        text: String,
        options: ChatOptions = ChatOptions(),
        onText: suspend (String) -> Unit = {},
    ): Reply = valueOf(onText) { start(text, options) }

    /** Reads instructions and history now, so that the first answer comes sooner. */
    public suspend fun prewarm(): Unit = valueOf { open().prewarm().request() }

    /**
     * The same conversation, with these adapters for the next answers instead of the current ones. The conversation is
     * then read again. Close both sessions.
     */
    public fun withAdapters(adapters: List<ScaledAdapter>): Session =
        translated { Session(open().withAdapters(adapters.toFfi())) }

    /** Releases the memory of the conversation once a running answer has ended. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    private fun start(text: String, options: ChatOptions): Request<String, Reply> =
        open().respond(text, options.toFfi()).request()

    private fun open(): FfiSession {
        check(!ffi.uniffiIsDestroyed) { "the session is closed" }
        return ffi
    }
}

private fun FfiPrewarmJob.request() = Request<Nothing, _>(this, { null }, ::value, ::cancel)

internal fun FfiRespondJob.request() =
    Request(this, ::next, { value().let { Reply(it.text, it.metrics.toMetrics()) } }, ::cancel)
