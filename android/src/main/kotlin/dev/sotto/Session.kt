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
 * @property metrics what it cost.
 */
public data class Reply(public val text: String, public val metrics: Metrics)

/**
 * A question, and what was answered.
 *
 * @property question what was said to the model.
 * @property answer what it wrote.
 */
@Serializable
public data class Turn(public val question: String, public val answer: String)

/**
 * A conversation: it remembers what was said, and computes only what is new.
 *
 * Safe to use from any thread. Answers are given one after the other; a second question waits for the first. A cancelled
 * answer is remembered as far as it went; one that failed, or had no words yet, leaves the conversation as it was before.
 */
public class Session internal constructor(private val ffi: FfiSession) : AutoCloseable {
    /** Says something each time that it is collected, and streams the answer, piece by piece. Pieces are whole characters. */
    @JvmOverloads
    public fun stream(text: String, options: ChatOptions = ChatOptions()): Flow<String> = snapshotsOf { start(text, options) }

    /** Says something, and gives the whole answer; [onText] gets its pieces as they come, on a background thread. */
    public suspend fun respond(
        text: String,
        options: ChatOptions = ChatOptions(),
        onText: suspend (String) -> Unit = {},
    ): Reply = valueOf(onText) { start(text, options) }

    /** Reads instructions and history now, so that the first question has less to wait for. */
    public suspend fun prewarm(): Unit = valueOf { open().prewarm().request() }

    /**
     * The same conversation, whose next answers are computed with these adapters of the model in place of those before. What
     * was said is read again then. Both are to be closed.
     */
    public fun withAdapters(adapters: List<ScaledAdapter>): Session =
        translated { Session(open().withAdapters(adapters.toFfi())) }

    /** Gives back the memory of the conversation, once a running answer has ended. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    private fun start(text: String, options: ChatOptions): Request<String, Reply> =
        open().respond(text, options.toFfi()).request()

    private fun open(): FfiSession {
        check(!ffi.uniffiIsDestroyed) { "the session is closed" }
        return ffi
    }
}

private fun FfiPrewarmJob.request() = Request<Nothing, _>(this, { null }, ::value, ::cancel)

private fun FfiRespondJob.request() =
    Request(this, ::next, { value().let { Reply(it.text, it.metrics.toMetrics()) } }, ::cancel)
