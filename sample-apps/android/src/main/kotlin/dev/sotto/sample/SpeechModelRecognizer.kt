package dev.sotto.sample

import dev.sotto.Samples
import dev.sotto.Segment
import dev.sotto.Speech
import dev.sotto.TranscriptPart
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.launch

/** Hears with a speech model: a whole note at once, with the times of what is said. [speech] loads the model. */
class SpeechModelRecognizer(
    private val scope: CoroutineScope,
    private val microphone: () -> Flow<Samples>,
    private val speech: suspend () -> Speech,
) : Recognizer {
    private var hearing: Job? = null
    private var stopped = CompletableDeferred<Unit>()

    /** After each utterance, it goes on by itself. */
    override fun start(listener: Recognizer.Listener) {
        if (hearing?.isActive == true) return
        stopped = CompletableDeferred()
        hearing = scope.launch { hear(listener, stopped) }
    }

    override fun stop() {
        stopped.complete(Unit)
    }

    override fun cancel() {
        hearing?.cancel()
        hearing = null
    }

    private suspend fun hear(listener: Recognizer.Listener, stopped: CompletableDeferred<Unit>) {
        val rest = try {
            listen(listener, stopped)
        } catch (error: CancellationException) {
            throw error
        } catch (error: Exception) {
            hearing = null
            return listener.onFailure(Trouble.of(error))
        }
        hearing = null
        listener.onPart("")
        if (rest.isEmpty()) listener.onSilence() else listener.onUtterance(rest)
    }

    /** Listens until the end, and returns what became certain only then. */
    private suspend fun listen(listener: Recognizer.Listener, stopped: CompletableDeferred<Unit>): List<Segment> {
        val rest = mutableListOf<Segment>()
        // Now, and not once the model is there: nothing that is said is lost.
        val sound = microphone().until(stopped).buffer(Channel.UNLIMITED).produceIn(scope)
        try {
            val speech = speech()
            speech.listen(sound.consumeAsFlow()).snapshots.collect { part ->
                if (stopped.isCompleted) rest += part.certain() else tell(part, listener)
            }
            // The summary's model has the memory now.
            speech.trim()
        } finally {
            sound.cancel()
        }
        return rest
    }

    private fun tell(part: TranscriptPart, listener: Recognizer.Listener) {
        val certain = part.certain()
        if (certain.isNotEmpty()) listener.onUtterance(certain)
        listener.onPart(part.tentative.joinToString(" ") { it.text })
    }

    private fun TranscriptPart.certain() = confirmed.map { Segment(0, it.text, it.start, it.end) }
}

/** The same, but that it ends once [end] has come. */
private fun <T> Flow<T>.until(end: CompletableDeferred<Unit>): Flow<T> = channelFlow {
    val source = launch { collect { send(it) } }
    end.await()
    source.cancelAndJoin()
}
