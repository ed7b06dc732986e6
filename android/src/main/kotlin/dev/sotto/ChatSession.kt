package dev.sotto

import dev.sotto.internal.FfiFinishReason
import dev.sotto.internal.FfiForkJob
import dev.sotto.internal.FfiPrewarmJob
import dev.sotto.internal.FfiReply
import dev.sotto.internal.FfiRespondJob
import dev.sotto.internal.FfiSaveJob
import dev.sotto.internal.FfiSession
import dev.sotto.internal.FfiTurn
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import java.io.File

/** Why an answer ended. */
@Serializable
public enum class FinishReason {
    /** The model ended the answer, or the format allows nothing more. */
    @SerialName("complete")
    COMPLETE,

    /** The answer was cut off at its limit of tokens: allow more ([ChatOptions.maxTokens]), or ask the model to go on. */
    @SerialName("maxTokens")
    MAX_TOKENS,

    /**
     * The answer was cut off at the end of the context: start a new conversation, or load the model with a longer context
     * ([LoadOptions.contextLength]).
     */
    @SerialName("contextFull")
    CONTEXT_FULL,

    /** The model wanted to call tools once more than it may, which is eight times: ask more precisely, or give it fewer tools. */
    @SerialName("tooManyToolCalls")
    TOO_MANY_TOOL_CALLS,
}

/**
 * A finished answer.
 *
 * @property text what the model wrote, without its calls of tools.
 * @property finishReason why the answer ended, and so whether it is complete.
 * @property metrics time, tokens and memory it took.
 */
@ByValue
public class ChatReply(public val text: String, public val finishReason: FinishReason, public val metrics: Metrics)

/**
 * A question and its answer.
 *
 * @property question the user's message.
 * @property answer the model's answer.
 * @property calls the tools that the model called before its answer, in order.
 */
@Serializable
@ByValue
public class ChatTurn @JvmOverloads constructor(
    public val question: String,
    public val answer: String,
    public val calls: List<ChatToolUse> = emptyList(),
) {
    internal fun toFfi() = FfiTurn(question, calls.map { it.toFfi() }, answer)
}

/**
 * A conversation. It keeps its history, and only new tokens are computed.
 *
 * Safe to use from any thread. It answers one question at a time; a second question waits for the first. Of a cancelled
 * answer, the part written so far is kept. An answer that failed or had no words yet leaves the conversation unchanged.
 */
public class ChatSession internal constructor(private val ffi: FfiSession) : AutoCloseable {
    /**
     * The questions and answers so far, to store them and to continue later with [LocalModel.resume]. A question that is
     * being answered is not among them.
     */
    public val history: List<ChatTurn> get() = translated { open().history().map { it.toTurn() } }

    /**
     * Asks something. The snapshots are the pieces of the answer, which never split a character; the value is the complete
     * answer, with the reason for its end.
     */
    @JvmOverloads
    public fun stream(text: String, options: ChatOptions = ChatOptions()): SottoTask<String, ChatReply> =
        taskOf { open().respond(text, options.toFfi()).request() }

    /** Asks something and returns the complete answer. */
    public suspend fun respond(text: String, options: ChatOptions = ChatOptions()): ChatReply = stream(text, options).await()

    /** Reads instructions and history now, so that the first answer comes sooner. */
    public suspend fun prewarm(): Unit = valueOf { open().prewarm().request() }

    /**
     * A copy of the conversation, which goes on by itself from here; nothing is read again. Waits for a running answer.
     * Close both sessions.
     */
    public suspend fun fork(): ChatSession = closingUnlessDelivered { made -> valueOf { open().fork().request(made) } }

    /**
     * Saves what the model has read and computed of the conversation, for [LocalModel.resumeFrom]: 32 KiB a token in Llama 3.2 1B, half of
     * it with [KvType.Q8]. The file appears whole or not at all, and replaces one that is there. Waits for a running answer.
     *
     * The file contains what was said. Keep it in `noBackupFilesDir`, and delete it together with the conversation. Store the [history],
     * too: the file does not replace it.
     */
    public suspend fun save(file: File): Unit = valueOf { open().save(file.path).request() }

    /**
     * How many tokens of the context the conversation takes, including its instructions; [LocalModel.contextLength] is the
     * limit. Waits for a running answer.
     */
    public suspend fun contextUsed(): Int = native { open().contextUsed().toInt() }

    /**
     * The same conversation, with these adapters for the next answers instead of the current ones. The conversation is
     * then read again. Close both sessions.
     */
    public fun withAdapters(adapters: List<ScaledAdapter>): ChatSession =
        translated { ChatSession(open().withAdapters(adapters.toFfi())) }

    /** Releases the memory of the conversation once a running answer has ended. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiSession {
        check(!ffi.uniffiIsDestroyed) { "the session is closed" }
        return ffi
    }
}

private fun FfiSaveJob.request() = Request<Nothing, _>(this, { null }, ::value, ::cancel)

private fun FfiPrewarmJob.request() = Request<Nothing, _>(this, { null }, ::value, ::cancel)

private fun FfiForkJob.request(made: (ChatSession) -> Unit) =
    Request<Nothing, _>(this, { null }, { ChatSession(value()).also(made) }, ::cancel)

internal fun FfiRespondJob.request() = Request(this, ::next, { value().toReply() }, ::cancel)

private fun FfiTurn.toTurn() = ChatTurn(question, answer, calls.map { it.toUse() })

internal fun FfiReply.toReply() = ChatReply(
    text = text,
    finishReason =
    when (finishReason) {
        FfiFinishReason.COMPLETE -> FinishReason.COMPLETE
        FfiFinishReason.MAX_TOKENS -> FinishReason.MAX_TOKENS
        FfiFinishReason.CONTEXT_FULL -> FinishReason.CONTEXT_FULL
        FfiFinishReason.TOO_MANY_TOOL_CALLS -> FinishReason.TOO_MANY_TOOL_CALLS
    },
    metrics = metrics.toMetrics(),
)
