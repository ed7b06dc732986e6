package dev.sotto.sample

import dev.sotto.Audio
import dev.sotto.ModelFile
import dev.sotto.Samples
import dev.sotto.Segment
import dev.sotto.SottoException
import dev.sotto.Speech
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds

/** Where `SOTTO_REAL_MODELS` names a folder with a speech model, that one hears. */
class SpeechModelTest {
    @get:Rule
    val folder = TemporaryFolder()

    /** Takes down what it is told. */
    private class Said : Recognizer.Listener {
        val segments = mutableListOf<Segment>()
        val parts = mutableListOf<String>()
        val trouble = CompletableDeferred<Trouble>()
        val end = CompletableDeferred<Unit>()

        override fun onPart(text: String) {
            parts += text
        }

        override fun onUtterance(said: List<Segment>) {
            segments += said
            end.complete(Unit)
        }

        override fun onSilence() {
            end.complete(Unit)
        }

        override fun onFailure(trouble: Trouble) {
            this.trouble.complete(trouble)
        }
    }

    private fun recognizing(
        sound: Flow<Samples>,
        speech: suspend () -> Speech,
        block: suspend (SpeechModelRecognizer, Said) -> Unit,
    ) = runBlocking {
        val scope = CoroutineScope(coroutineContext + SupervisorJob())
        try {
            withTimeout(60.seconds) { block(SpeechModelRecognizer(scope, { sound }, speech), Said()) }
        } finally {
            scope.cancel()
        }
    }

    @Test
    fun `what is said is heard with its times, also while the model is being loaded`() {
        val real = realModels("a spoken note for a speech model") ?: return
        val samples = recording(real.resolve("librivox-0930.wav"))
        val isSpoken = CompletableDeferred<Unit>()
        val sound = flow {
            emit(Samples.of(samples))
            isSpoken.complete(Unit)
            awaitCancellation()
        }
        val file = real.resolve(SPEECH_MODEL).copyTo(folder.newFile(), overwrite = true)
        val speech = CompletableDeferred<Speech>()
        val load: suspend () -> Speech = {
            isSpoken.await()
            Speech.load(ModelFile.path(file)).also(speech::complete)
        }
        recognizing(sound, load) { recognizer, said ->
            recognizer.start(said)
            while (said.parts.isEmpty()) delay(10)
            assertTrue(said.parts.first().isNotEmpty(), "it is tentative first")
            recognizer.start(said)
            recognizer.stop()
            said.end.await()
            val only = said.segments.single()
            assertTrue(only.start!! < only.end!! && only.text.isNotEmpty())
            assertEquals("", said.parts.last())
            // Its weights are given back: they are read again for the next note.
            file.delete()
            val audio = Audio.samples(Samples.of(samples))
            assertFailsWith<SottoException.ModelNotFound> { speech.await().transcribe(audio).await() }
        }
    }

    @Test
    fun `what fails is told, and it can be begun again`() {
        val sound = flow<Samples> { throw MicrophoneException() }
        recognizing(sound, { Speech.load(ModelFile.path(DEMO_FILE)) }) { recognizer, said ->
            recognizer.start(said)
            assertEquals(Trouble.MODEL_DAMAGED, said.trouble.await())
            val again = Said()
            recognizer.start(again)
            assertEquals(Trouble.MODEL_DAMAGED, again.trouble.await())
        }
    }

    @Test
    fun `a note that is given up is heard no more`() {
        val ended = CompletableDeferred<Unit>()
        val sound = flow<Samples> {
            try {
                awaitCancellation()
            } finally {
                ended.complete(Unit)
            }
        }
        recognizing(sound, { awaitCancellation() }) { recognizer, said ->
            recognizer.start(said)
            delay(20)
            recognizer.cancel()
            ended.await()
            assertFalse(said.trouble.isCompleted || said.end.isCompleted)
        }
    }

    @Test
    fun `a chosen file that is no speech model leaves hearing as it was`() = runBlocking {
        val scope = CoroutineScope(coroutineContext + SupervisorJob())
        val shelf = ModelShelf(scope, folder.root) { file, _ -> Speech.load(file) }
        val shown = mutableListOf<Pair<ModelState, Trouble?>>()
        val models = SpeechModels(scope, shelf) { state, trouble -> shown += state to trouble }
        models.choose("photo", document(ByteArray(9)))
        withTimeout(10.seconds) { while (shown.lastOrNull()?.second == null) delay(5) }
        assertEquals(ModelState.Missing to Trouble.MODEL_DAMAGED, shown.last())
        assertFalse(models.isInstalled)

        val real = realModels("a chosen speech model") ?: return@runBlocking scope.cancel()
        models.choose("whisper", document { real.resolve(SPEECH_MODEL).inputStream() })
        withTimeout(60.seconds) { while (shown.last().first != ModelState.Ready("whisper")) delay(5) }
        assertTrue(models.isInstalled && models.speech().memory.weights > 0)
        models.forget()
        withTimeout(10.seconds) { while (models.isInstalled) delay(5) }
        scope.cancel()
    }
}

const val SPEECH_MODEL = "ggml-base-q5_1.bin"

/** The folder with real models; without one, says that [what] is skipped. */
fun realModels(what: String): File? {
    val folder = System.getenv("SOTTO_REAL_MODELS")?.let(::File)
    if (folder == null) println("SKIPPED: $what: SOTTO_REAL_MODELS is not set")
    return folder
}

/** The samples of a WAV file. */
fun recording(file: File): ShortArray {
    val samples = ByteBuffer.wrap(file.readBytes()).position(44).slice().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
    return ShortArray(samples.remaining()).also(samples::get)
}
