package dev.sotto

import dev.sotto.internal.FfiSamples
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime

/** Where `SOTTO_REAL_MODELS` names a folder with a speech model, that one listens; what transcribes is tested with the library. */
class SpeechTest {
    private suspend fun withSpeech(what: String, use: suspend (Speech, File) -> Unit) {
        val folder = System.getenv("SOTTO_REAL_MODELS")?.let(::File)
        if (folder == null) return println("SKIPPED: $what in Kotlin: SOTTO_REAL_MODELS is not set")
        Speech.load(ModelFile.path(folder.resolve("ggml-base-q5_1.bin"))).use { use(it, folder) }
    }

    private fun recording(file: File): ShortArray {
        val samples = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN).position(44).slice()
        return samples.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().let { ShortArray(it.remaining()).also(it::get) }
    }

    @Test
    fun `what is listened to is what is transcribed`() = test {
        withSpeech("listening") { speech, folder ->
            assertTrue(speech.memory.weights > 0)
            val samples = recording(folder.resolve("librivox-0930.wav"))
            val whole = speech.transcribe(Audio.samples(Samples.of(samples))).await()
            assertEquals(1, whole.segments.size)
            val microphone = flow {
                for (at in samples.indices step 4_800) {
                    emit(Samples.of(samples.copyOfRange(at, minOf(at + 4_800, samples.size))))
                }
            }
            demo().use { model ->
                model.noteSession().use { note ->
                    assertEquals(whole.segments, speech.listen(microphone).into(note).segments)
                    assertEquals(VoiceNote.transcript(whole).segments, note.note.segments)
                }
            }
            assertEquals(whole.segments, speech.listen(microphone).snapshots.toList().flatMap { it.confirmed })
            assertEquals(whole.segments, speech.transcribe(Audio.file(folder.resolve("librivox-0930.wav"))).await().segments)
        }
    }

    @Test
    fun `what ends a microphone early is told`() = test {
        withSpeech("broken microphones") { speech, _ ->
            val broken = flow<Samples> { throw IllegalStateException("unplugged") }
            assertFailsWith<IllegalStateException> { speech.listen(broken).await() }
            val noSound = flowOf(Samples.of(floatArrayOf(Float.NaN)))
            assertFailsWith<SottoException.InvalidInput> { speech.listen(noSound).await() }
            val listens = CompletableDeferred<Unit>()
            val silent = flow<Samples> { awaitCancellation() }.onStart { listens.complete(Unit) }
            val listening = launch { speech.listen(silent).await() }
            listens.await()
            val took = measureTime { listening.cancelAndJoin() }
            assertTrue(took < 100.milliseconds, "$took")
        }
    }

    @Test
    fun `a pause makes what was said certain`() = test {
        withSpeech("a pause") { speech, folder ->
            val (isPushed, goOn) = List(2) { CompletableDeferred<Unit>() }
            val microphone = flow {
                emit(Samples.of(recording(folder.resolve("librivox-0930.wav"))))
                isPushed.complete(Unit)
                goOn.await()
            }
            val listening = speech.listen(microphone, ListenOptions(tentative = false))
            val confirmed = CompletableDeferred<TranscriptPart>()
            val transcript = async { listening.snapshots.collect { confirmed.complete(it) } }
            isPushed.await()
            listening.pause()
            confirmed.await()
            listening.resume()
            goOn.complete(Unit)
            transcript.await()
            assertEquals(1, confirmed.await().confirmed.size)
        }
    }

    @Test
    fun `what a model takes is known before it is loaded, and is given back`() = test {
        withSpeech("memory") { speech, folder ->
            val before = Speech.memoryOf(ModelFile.path(folder.resolve("ggml-base-q5_1.bin")))
            val loaded = speech.memory
            assertEquals(loaded.weights to loaded.recognizer, before.weights to before.recognizer)
            val audio = Audio.samples(Samples.of(recording(folder.resolve("librivox-0930.wav"))))
            val whole = speech.transcribe(audio).await()
            speech.trim()
            assertEquals(whole.segments, speech.transcribe(audio).await().segments)
        }
    }

    @Test
    fun `a file that is no speech model says so`() = test {
        assertFailsWith<SottoException.ModelInvalid> { Speech.memoryOf(ModelFile.path(DEMO_FILE)) }
        assertFailsWith<SottoException.ModelNotFound> { Speech.load(ModelFile.path("/nowhere/ggml-base.bin")) }
        assertFailsWith<SottoException> { Speech.load(ModelFile.path(DEMO_FILE)) }
        assertFailsWith<SottoException.InvalidInput> { Speech.load(ModelFile.path(DEMO_FILE), threads = 0) }
    }

    @Test
    fun `samples cross as they are`() {
        val floats = Samples.of(floatArrayOf(1f, -0.5f, 9f), count = 2).ffi as FfiSamples.F32
        assertContentEquals(byteArrayOf(0, 0, -128, 63, 0, 0, 0, -65), floats.bytes)
        val shorts = Samples.of(shortArrayOf(1, -2)).ffi as FfiSamples.I16
        assertContentEquals(byteArrayOf(1, 0, -2, -1), shorts.bytes)
    }

    @Test
    fun `a transcript is a note with its ids and times`() {
        val segment = TranscriptSegment(1, 0.5, 2.0, "Buy milk.", noSpeech = 0f, meanLogProbability = -0.1f)
        val metrics = SpeechMetrics(2.0, 2.0, 1, 0.2, 0.1, 0)
        val note = VoiceNote.transcript(SpeechTranscript("en", listOf(segment), metrics))
        assertEquals(listOf(Segment(1, "Buy milk.", 0.5, 2.0)), note.segments)
    }

    @Test
    fun `a format that is none is refused`() {
        assertFailsWith<SottoException.InvalidInput> { PcmFormat(sampleRate = -1) }
        assertFailsWith<SottoException.InvalidInput> { PcmFormat(channels = 70_000) }
    }
}
