package dev.sotto

import dev.sotto.internal.FfiLoadSpeechJob
import dev.sotto.internal.FfiSpeech
import dev.sotto.internal.FfiSpeechMemory
import dev.sotto.internal.FfiSpeechMemoryJob
import dev.sotto.internal.loadSpeech
import dev.sotto.internal.speechMemoryOf
import kotlinx.coroutines.flow.Flow

/**
 * Private memory that a speech model takes.
 *
 * @property weights bytes of the weights and the vocabulary while they are loaded, shared by all recordings.
 * @property recognizer bytes of each recording while it is transcribed.
 * @property available bytes that the system can give now, where it says so.
 */
@ByValue
public class SpeechMemory(public val weights: Long, public val recognizer: Long, public val available: Long?)

/**
 * A Whisper model that is ready to be used, from any thread.
 *
 * ```
 * val speech = Speech.load(ModelFile.path(whisper))
 * speech.transcribe(Audio.file(file)).snapshots.collect { part -> render(part.confirmed, part.tentative) }
 *
 * val spoken = model.noteSession()
 * speech.listen(microphone).into(spoken)             // until the microphone's flow ends
 * val summary = spoken.finish().await()              // its evidence has ids and times
 * ```
 */
public class Speech private constructor(private val ffi: FfiSpeech) : AutoCloseable {
    /** What it takes. */
    public val memory: SpeechMemory
        get() = translated { open().memory().toMemory() }

    /**
     * Transcribes a recording of any length. The snapshots are its parts, as they become certain; silence is not given to the model.
     */
    @JvmOverloads
    public fun transcribe(
        audio: Audio,
        options: TranscribeOptions = TranscribeOptions(),
    ): SottoTask<TranscriptPart, SpeechTranscript> = SottoTask { onPart ->
        when (val source = audio.source) {
            is Audio.Source.Library ->
                translated { open().transcribe(source.ffi, options.toFfi()).request() }.run(onPart)

            is Audio.Source.Platform -> decoding(source.setSource) { decoded ->
                val asHeard = ListenOptions(PcmFormat(decoded.sampleRate), options, tentative = false)
                translated { open().listen(asHeard.toFfi()) }
                    .hear(decoded.samples) { onPart(it.of(decoded.seconds)) }
            }
        }
    }

    /**
     * Listens to a microphone: [samples] is collected when the task begins, and its end is the end of the recording. When a minute of sound waits to be heard, the flow has to wait, too: no sample is lost.
     */
    @JvmOverloads
    public fun listen(samples: Flow<Samples>, options: ListenOptions = ListenOptions()): Listening = Listening(
        Microphone(samples) { note ->
            if (note == null) open().listen(options.toFfi()) else open().listenInto(note, options.toFfi())
        },
    )

    /**
     * Gives the memory of the weights back, once nothing is transcribed any more: for a language model, or when memory is short. They
     * are read from the file again, which must still be there, by what is transcribed next.
     */
    public fun trim(): Unit = translated { open().trim() }

    /** Gives the memory back, once nothing is transcribed any more. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiSpeech {
        check(!ffi.uniffiIsDestroyed) { "the speech model is closed" }
        return ffi
    }

    /** How to get a speech model. */
    public companion object {
        /**
         * Loads a file of whisper.cpp (`ggml-*.bin`), or a folder with `model.safetensors`, `config.json` and `tokenizer.json`.
         * [threads] compute; one for each fast core where it is `null`.
         */
        public suspend fun load(file: ModelFile, threads: Int? = null): Speech {
            requireInput(threads == null || threads > 0, "at least one thread has to compute")
            return closingUnlessDelivered { made ->
                valueOf {
                    javaLoad
                    loadSpeech(file.ffi, threads?.toUInt()).request(made)
                }
            }
        }

        /** The memory that the model in [file] would take. Nothing but its description is read. */
        public suspend fun memoryOf(file: ModelFile): SpeechMemory = valueOf {
            javaLoad
            speechMemoryOf(file.ffi).request()
        }

        private fun FfiSpeechMemoryJob.request() = Request<Nothing, _>(this, { null }, { value().toMemory() }, ::cancel)

        private fun FfiSpeechMemory.toMemory() = SpeechMemory(weights.toLong(), recognizer.toLong(), available?.toLong())

        private fun FfiLoadSpeechJob.request(made: (Speech) -> Unit) =
            Request<Nothing, _>(this, { null }, { Speech(value()).also(made) }, ::cancel)
    }
}
