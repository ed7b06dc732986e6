package dev.sotto

import dev.sotto.internal.FfiAudioInput
import dev.sotto.internal.FfiListenOptions
import dev.sotto.internal.FfiListening
import dev.sotto.internal.FfiNoteSession
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * How to listen.
 *
 * @property format how the microphone's samples lie.
 * @property transcribe how they are transcribed.
 * @property tentative whether parts have tentative segments. They let one read along, and take as much time as the device has.
 */
public class ListenOptions
@JvmOverloads
constructor(
    public val format: PcmFormat = PcmFormat(),
    public val transcribe: TranscribeOptions = TranscribeOptions(),
    public val tentative: Boolean = true,
) {

    /** These options, with changes: `options.copy { format = … }`. */
    public fun copy(change: Builder.() -> Unit): ListenOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [ListenOptions]. */
    public class Builder internal constructor(from: ListenOptions) {
        public var format: PcmFormat = from.format
        public var transcribe: TranscribeOptions = from.transcribe
        public var tentative: Boolean = from.tentative

        internal fun build() = ListenOptions(format, transcribe, tentative)
    }

    internal fun toFfi() = FfiListenOptions(format.toFfi(), transcribe.toFfi(), tentative)
}

/**
 * What a microphone hears: collect the [snapshots] for what is said, [await] the whole transcript, or lead it [into] a note.
 *
 * Once a second, what was said since the last confirmed segment is transcribed again, and is tentative. It becomes confirmed at a
 * pause of two seconds, or in windows of at most 30 seconds that end at shorter pauses. Whatever ends the collector early stops the
 * work within 100 ms.
 */
public class Listening internal constructor(private val microphone: Microphone) :
    SottoTask<TranscriptPart, SpeechTranscript>(microphone::listen) {
    /**
     * Appends each confirmed segment to [session] as soon as it is there, until the microphone's flow ends: then only the last window
     * is left to be understood. [onPart] is told what is said, on a background thread.
     */
    public suspend fun into(session: NoteSession, onPart: suspend (TranscriptPart) -> Unit = {}): SpeechTranscript {
        microphone.note = session.open()
        withContext(Dispatchers.Default) { snapshots.collect(onPart) }
        return await()
    }

    /**
     * Makes all that was said confirmed, and lets the listener rest: what comes meanwhile waits to be heard. Does nothing where nobody
     * listens.
     */
    public fun pause(): Unit = translated { microphone.input?.pause() ?: Unit }

    /** Goes on after a pause. */
    public fun resume(): Unit = translated { microphone.input?.resume() ?: Unit }
}

/** A microphone's [samples], and what listens to them. */
internal class Microphone(private val samples: Flow<Samples>, private val start: (note: FfiNoteSession?) -> FfiListening) {
    /** Where segments go when they are confirmed, if anywhere. */
    @Volatile
    var note: FfiNoteSession? = null

    /** The one that is being listened to. */
    @Volatile
    var input: FfiAudioInput? = null
        private set

    suspend fun listen(onPart: suspend (TranscriptPart) -> Unit): SpeechTranscript {
        val listening = translated { start(note) }
        input = listening.input
        try {
            return listening.hear(samples, onPart)
        } finally {
            input = null
        }
    }
}

/** Pushes [samples], and tells what is understood of them. */
internal suspend fun FfiListening.hear(samples: Flow<Samples>, onPart: suspend (TranscriptPart) -> Unit): SpeechTranscript =
    input.use {
        coroutineScope {
            val pushing = launch {
                samples.collect { translatedUnlessEnded { input.push(it.ffi) } }
                translatedUnlessEnded { input.finish() }
            }
            try {
                job.request().run(onPart)
            } finally {
                pushing.cancel()
            }
        }
    }

/** The request itself tells what has ended it. */
private suspend inline fun translatedUnlessEnded(call: () -> Unit) = try {
    translated { call() }
} catch (_: SottoException.Cancelled) {
}
