package dev.sotto.sample

import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.os.Looper
import android.os.ParcelFileDescriptor
import android.speech.RecognizerIntent
import android.speech.SpeechRecognizer
import dev.sotto.Segment
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowSpeechRecognizer
import org.robolectric.util.ReflectionHelpers
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds

/** The platform's recognizer, a fake one, and what it is given to hear. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class SpeechRecognitionTest {
    /** Takes down what it is told. */
    private class Said : Recognizer.Listener {
        val segments = mutableListOf<Segment>()
        var silences = 0
        var trouble: Trouble? = null

        override fun onPart(text: String) = Unit

        override fun onUtterance(said: List<Segment>) {
            segments += said
        }

        override fun onSilence() {
            silences++
        }

        override fun onFailure(trouble: Trouble) {
            this.trouble = trouble
        }
    }

    private fun recognizing(microphone: Flow<ShortArray>, block: suspend (SpeechRecognition, Said) -> Unit) = runBlocking {
        ShadowSpeechRecognizer.setIsOnDeviceRecognitionAvailable(true)
        val scope = CoroutineScope(coroutineContext + SupervisorJob())
        try {
            val recognition = SpeechRecognition(RuntimeEnvironment.getApplication(), scope) { microphone }
            withTimeout(30.seconds) { block(recognition, Said()) }
        } finally {
            scope.cancel()
        }
    }

    private val platform get() = shadowOf(ShadowSpeechRecognizer.getLatestSpeechRecognizer())

    private fun SpeechRecognition.listens(said: Said): Intent {
        start(said)
        shadowOf(Looper.getMainLooper()).idle()
        return platform.lastRecognizerIntent
    }

    private fun hears(text: String) {
        platform.triggerOnResults(recognized(text))
        shadowOf(Looper.getMainLooper()).idle()
    }

    private fun recognized(text: String) =
        Bundle().apply { putStringArrayList(SpeechRecognizer.RESULTS_RECOGNITION, arrayListOf(text)) }

    /** The next samples in the pipe that a recognizer is given. */
    private suspend fun Intent.samples(count: Int): ShortArray {
        val source = RecognizerIntent.EXTRA_AUDIO_SOURCE
        val pipe = assertNotNull(getParcelableExtra(source, ParcelFileDescriptor::class.java))
        val (input, bytes) = FileInputStream(pipe.fileDescriptor) to ByteArray(count * Short.SIZE_BYTES)
        var read = 0
        while (read < bytes.size) {
            read += input.read(bytes, read, bytes.size - read).coerceAtLeast(0)
            delay(5)
        }
        return ShortArray(count).also { ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(it) }
    }

    @Test
    fun `from Android 13 on, the recognizer hears what the app records`() {
        val sound = Channel<ShortArray>(Channel.UNLIMITED)
        var isRecording = true
        recognizing(sound.receiveAsFlow().onCompletion { isRecording = false }) { recognition, said ->
            assertTrue(recognition.keepsSound)
            val first = recognition.listens(said)
            assertEquals(WavFile.RATE, first.getIntExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE_SAMPLING_RATE, 0))
            val samples = ShortArray(WavFile.RATE) { (it - 8_000).toShort() }
            sound.send(samples)
            assertContentEquals(samples, first.samples(samples.size))
            hears("Buy milk.")
            assertEquals(listOf(Segment(0, "Buy milk.", 0.0, 1.0)), said.segments)

            // What is said before the recognizer listens again is not lost.
            sound.send(samples)
            delay(50)
            assertContentEquals(samples, recognition.listens(said).samples(samples.size))
            recognition.stop()
            while (isRecording) delay(5)
            hears("Call Ann.")
            assertEquals(Segment(0, "Call Ann.", 1.0, 2.0), said.segments.last())
        }
    }

    @Test
    fun `before Android 13, the recognizer has the microphone to itself`() {
        val version = Build.VERSION.SDK_INT
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.S_V2)
        try {
            recognizing(flow { error("nobody records") }) { recognition, said ->
                assertFalse(recognition.keepsSound)
                assertFalse(recognition.listens(said).hasExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE))
                hears("Buy milk.")
                assertEquals(listOf(Segment(0, "Buy milk.")), said.segments)
            }
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", version)
        }
    }

    @Test
    fun `a microphone that another app has ends the note`() =
        recognizing(flow { throw MicrophoneException() }) { recognition, said ->
            recognition.listens(said)
            while (said.trouble == null) delay(5)
            assertEquals(Trouble.MICROPHONE_TAKEN, said.trouble)
        }

    @Test
    fun `a session goes on by itself, and tells what comes after the end as one`() {
        var seconds = 0.0
        var ends = 0
        fun session(said: Said) = RecognitionSession(said, { ends++ }) { seconds }
        val said = Said()
        val session = session(said)
        seconds = 2.0
        session.onSegmentResults(recognized("Buy milk."))
        assertEquals(listOf(Segment(0, "Buy milk.", 0.0, 2.0)), said.segments)
        session.end()
        seconds = 3.0
        session.onSegmentResults(recognized("Call Ann."))
        session.onSegmentResults(recognized(" "))
        assertEquals(1 to true, said.segments.size to session.isOpen)
        session.onEndOfSegmentedSession()
        assertEquals(listOf("Buy milk.", "Call Ann."), said.segments.map { it.text })
        session.onError(SpeechRecognizer.ERROR_NO_MATCH)
        assertEquals(2 to 0, said.segments.size to said.silences)
        assertEquals(1 to false, ends to session.isOpen)

        val broken = Said()
        session(broken).onError(SpeechRecognizer.ERROR_SERVER_DISCONNECTED)
        assertEquals(Trouble.RECOGNIZER_FAILED to 2, broken.trouble to ends)
    }
}
