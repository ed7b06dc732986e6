package dev.sotto.sample

import android.os.Bundle
import android.speech.RecognitionListener
import android.speech.SpeechRecognizer
import dev.sotto.Segment

/**
 * What the platform's recognizer says of one utterance or, where it goes on by itself, of several. It tells no times: those of an utterance
 * are the seconds that had been recorded when it began and ended, as [recorded] says, or unknown.
 */
class RecognitionSession(
    private val listener: Recognizer.Listener,
    private val onEnd: () -> Unit,
    private val recorded: () -> Double?,
) : RecognitionListener {
    /** Whether more is to come. */
    var isOpen = true
        private set
    private var isEnding = false
    private val rest = mutableListOf<Segment>()
    private var start = recorded()
    private var end: Double? = null

    /** Nothing more is said. What is still to come is told as one. */
    fun end() {
        isEnding = true
    }

    /** It has come to an end too early. */
    fun fail(trouble: Trouble) {
        if (!isOpen) return
        close()
        if (rest.isEmpty()) listener.onFailure(trouble) else listener.onUtterance(rest)
    }

    override fun onPartialResults(partialResults: Bundle) {
        if (isOpen) listener.onPart(partialResults.text())
    }

    override fun onSegmentResults(segmentResults: Bundle) {
        if (!isOpen) return
        rest += said(segmentResults)
        if (isEnding || rest.isEmpty()) return
        val said = rest.toList()
        rest.clear()
        listener.onUtterance(said)
    }

    override fun onEndOfSegmentedSession() = succeed()

    override fun onResults(results: Bundle) {
        if (!isOpen) return
        rest += said(results)
        succeed()
    }

    override fun onError(error: Int) = when (error) {
        SpeechRecognizer.ERROR_NO_MATCH, SpeechRecognizer.ERROR_SPEECH_TIMEOUT -> succeed()

        SpeechRecognizer.ERROR_INSUFFICIENT_PERMISSIONS -> fail(Trouble.MICROPHONE_DENIED)

        SpeechRecognizer.ERROR_LANGUAGE_NOT_SUPPORTED, SpeechRecognizer.ERROR_LANGUAGE_UNAVAILABLE ->
            fail(Trouble.NO_RECOGNIZER)

        else -> fail(Trouble.RECOGNIZER_FAILED)
    }

    override fun onBeginningOfSpeech() {
        start = recorded()
    }

    override fun onEndOfSpeech() {
        end = recorded()
    }

    override fun onReadyForSpeech(params: Bundle?) = Unit

    override fun onRmsChanged(rmsdB: Float) = Unit

    override fun onBufferReceived(buffer: ByteArray?) = Unit

    override fun onEvent(eventType: Int, params: Bundle?) = Unit

    private fun close() {
        isOpen = false
        onEnd()
    }

    private fun succeed() {
        if (!isOpen) return
        close()
        if (rest.isEmpty()) listener.onSilence() else listener.onUtterance(rest)
    }

    private fun said(results: Bundle): List<Segment> {
        val now = recorded()
        val segment = Segment(0, results.text(), start, end ?: now)
        start = now
        end = null
        return listOf(segment).filter { it.text.isNotBlank() }
    }

    private fun Bundle.text() = getStringArrayList(SpeechRecognizer.RESULTS_RECOGNITION)?.firstOrNull().orEmpty()
}
