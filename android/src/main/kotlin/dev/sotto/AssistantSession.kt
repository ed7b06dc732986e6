package dev.sotto

import dev.sotto.internal.FfiServerChat
import dev.sotto.internal.serverChat
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * A conversation whose answers may come from a server of the app ([Assistant.session]): [ChatReply.metrics] says of each. The server
 * gets the instructions and the whole history with a question.
 *
 * Safe to use from any thread. It answers one question at a time; a second question waits for the first.
 */
public class AssistantSession internal constructor(
    private val assistant: Assistant,
    private val instructions: String?,
    history: List<ChatTurn>,
) : AutoCloseable {
    private val turn = Mutex()
    private val lock = Any()

    /** Where the device goes on; null before its first answer, and after one of the server, which it has not read. */
    private var session: ChatSession? = null
    private var said = history
    private var isClosed = false

    /** The questions and answers so far, whoever gave them, to store them and to continue later with [Assistant.resume]. */
    public val history: List<ChatTurn> get() = synchronized(lock) { if (isClosed) said else session?.history ?: said }

    /**
     * Asks something. The snapshots are the pieces of the answer; the value is the complete answer. A server can be held to a JSON
     * schema alone: with another [ChatOptions.format], nothing is handed over.
     */
    public fun stream(text: String, options: ChatOptions = ChatOptions()): SottoTask<String, ChatReply> = SottoTask { onPiece ->
        turn.withLock {
            assistant.answered(
                onDevice = { model ->
                    onDevice(model).stream(text, options).run { snapshots.collect(onPiece).let { await() } }
                },
                byServer = { reason -> byServer(text, options, reason, onPiece) },
                mayHandOver = options.format?.isJsonSchema != false,
            )
        }
    }

    /** Asks something and returns the complete answer. */
    public suspend fun respond(text: String, options: ChatOptions = ChatOptions()): ChatReply = stream(text, options).await()

    /** Releases the memory of the conversation once a running answer has ended. Can be called at any time. */
    override fun close(): Unit = synchronized(lock) {
        said = history
        isClosed = true
        session?.close()
        session = null
    }

    private suspend fun onDevice(model: LocalModel): ChatSession = synchronized(lock) { session } ?: run {
        val resumed = model.resume(instructions, history)
        synchronized(lock) {
            if (isClosed) resumed.close() else session = resumed
        }
        resumed
    }

    private suspend fun byServer(
        text: String,
        options: ChatOptions,
        reason: HandoverReason,
        onPiece: suspend (String) -> Unit,
    ): ChatReply {
        check(!synchronized(lock) { isClosed }) { "the session is closed" }
        val before = history
        val turns = before.map { it.toFfi() }
        val reply = assistant.fallback.ask(
            { serverChat(instructions, turns, text, options.toFfi(), it, reason.toFfi()) },
            FfiServerChat::body,
            { bytes -> translated { read(bytes) }.forEach { onPiece(it) } },
            { value().toReply() },
        )
        synchronized(lock) {
            said = before + ChatTurn(text, reply.text)
            session?.close()
            session = null
        }
        return reply
    }
}
