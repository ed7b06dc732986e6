package dev.sotto.sample

import android.content.Context
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.speech.RecognitionListener
import android.speech.RecognizerIntent
import android.speech.SpeechRecognizer
import dev.sotto.Segment

/**
 * The platform's recognizer on the device, which Android has from 12 on. The other one may send what it hears to somebody's servers, and
 * nothing is to leave the device.
 */
class SpeechRecognition(private val context: Context) : Recognizer {
    private var recognizer: SpeechRecognizer? = null

    override fun start(listener: Recognizer.Listener) {
        val recognizer = recognizer ?: create()
        if (recognizer == null) {
            listener.onFailure(Trouble.NO_RECOGNIZER)
            return
        }
        this.recognizer = recognizer
        recognizer.setRecognitionListener(Passing(listener))
        recognizer.startListening(
            Intent(RecognizerIntent.ACTION_RECOGNIZE_SPEECH)
                .putExtra(RecognizerIntent.EXTRA_LANGUAGE_MODEL, RecognizerIntent.LANGUAGE_MODEL_FREE_FORM)
                .putExtra(RecognizerIntent.EXTRA_PARTIAL_RESULTS, true),
        )
    }

    override fun stop() {
        recognizer?.stopListening()
    }

    override fun cancel() {
        recognizer?.destroy()
        recognizer = null
    }

    private fun create(): SpeechRecognizer? = when {
        Build.VERSION.SDK_INT < Build.VERSION_CODES.S -> null
        !SpeechRecognizer.isOnDeviceRecognitionAvailable(context) -> null
        else -> SpeechRecognizer.createOnDeviceSpeechRecognizer(context)
    }

    private class Passing(private val listener: Recognizer.Listener) : RecognitionListener {
        override fun onPartialResults(partialResults: Bundle) = listener.onPart(partialResults.text())

        override fun onResults(results: Bundle) {
            val text = results.text()
            if (text.isBlank()) listener.onSilence() else listener.onUtterance(listOf(Segment(0, text)))
        }

        override fun onError(error: Int) = when (error) {
            SpeechRecognizer.ERROR_NO_MATCH, SpeechRecognizer.ERROR_SPEECH_TIMEOUT -> listener.onSilence()

            SpeechRecognizer.ERROR_INSUFFICIENT_PERMISSIONS -> listener.onFailure(Trouble.MICROPHONE_DENIED)

            SpeechRecognizer.ERROR_LANGUAGE_NOT_SUPPORTED, SpeechRecognizer.ERROR_LANGUAGE_UNAVAILABLE ->
                listener.onFailure(Trouble.NO_RECOGNIZER)

            else -> listener.onFailure(Trouble.RECOGNIZER_FAILED)
        }

        private fun Bundle.text() = getStringArrayList(SpeechRecognizer.RESULTS_RECOGNITION)?.firstOrNull().orEmpty()

        override fun onReadyForSpeech(params: Bundle?) = Unit

        override fun onBeginningOfSpeech() = Unit

        override fun onRmsChanged(rmsdB: Float) = Unit

        override fun onBufferReceived(buffer: ByteArray?) = Unit

        override fun onEndOfSpeech() = Unit

        override fun onEvent(eventType: Int, params: Bundle?) = Unit
    }
}
