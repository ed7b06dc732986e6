package dev.sotto.sample

import android.content.Context
import android.content.Intent
import android.media.AudioFormat
import android.os.Build
import android.speech.RecognizerIntent
import android.speech.SpeechRecognizer
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/**
 * The platform's recognizer on the device, which Android has from 12 on. The other one may send what it hears to somebody's servers, and
 * nothing is to leave the device.
 *
 * From Android 13 on, this app records, keeps the sound and passes it to the recognizer. Before, the recognizer uses the microphone itself.
 */
class SpeechRecognition(
    private val context: Context,
    private val scope: CoroutineScope,
    private val microphone: () -> Flow<ShortArray>,
) : Recognizer {
    private var recognizer: SpeechRecognizer? = null
    private var session: RecognitionSession? = null
    private var sound: PipedSound? = null

    override val keepsSound get() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU

    /** A session that goes on after an utterance goes on by itself. */
    override fun start(listener: Recognizer.Listener) {
        if (session?.isOpen == true) return
        val recognizer = recognizer ?: create()
        if (recognizer == null) {
            listener.onFailure(Trouble.NO_RECOGNIZER)
            return
        }
        this.recognizer = recognizer
        val sound = if (keepsSound) sound ?: PipedSound(scope, microphone(), ::fail) else null
        this.sound = sound
        val session = RecognitionSession(listener, onEnd = { sound?.pause() }) { sound?.seconds }
        this.session = session
        recognizer.setRecognitionListener(session)
        recognizer.startListening(request(sound))
    }

    override fun stop() {
        session?.end()
        val sound = sound ?: return recognizer?.stopListening() ?: Unit
        this.sound = null
        scope.launch {
            sound.finish()
            recognizer?.stopListening()
        }
    }

    override fun cancel() {
        sound?.cancel()
        sound = null
        session = null
        recognizer?.destroy()
        recognizer = null
    }

    /** The microphone has failed. */
    private fun fail(error: Exception) {
        session?.fail(Trouble.of(error))
    }

    private fun create(): SpeechRecognizer? = when {
        Build.VERSION.SDK_INT < Build.VERSION_CODES.S -> null
        !SpeechRecognizer.isOnDeviceRecognitionAvailable(context) -> null
        else -> SpeechRecognizer.createOnDeviceSpeechRecognizer(context)
    }

    private fun request(sound: PipedSound?) = Intent(RecognizerIntent.ACTION_RECOGNIZE_SPEECH).apply {
        putExtra(RecognizerIntent.EXTRA_LANGUAGE_MODEL, RecognizerIntent.LANGUAGE_MODEL_FREE_FORM)
        putExtra(RecognizerIntent.EXTRA_PARTIAL_RESULTS, true)
        if (sound != null) {
            putExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE, sound.open())
            putExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE_CHANNEL_COUNT, 1)
            putExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE_ENCODING, AudioFormat.ENCODING_PCM_16BIT)
            putExtra(RecognizerIntent.EXTRA_AUDIO_SOURCE_SAMPLING_RATE, WavFile.RATE)
            // One session for the whole note, where the recognizer knows how: it does not miss what is said between two.
            putExtra(RecognizerIntent.EXTRA_SEGMENTED_SESSION, RecognizerIntent.EXTRA_AUDIO_SOURCE)
        }
    }
}
