package dev.sotto.sample

import dev.sotto.Segment

/** What hears: a speech model, or the platform's speech recognizer, which listens until it notices a pause. */
interface Recognizer {
    /** Whether the sound of what it hears is kept. */
    val keepsSound: Boolean get() = true

    /** Listens to one utterance. The listener is told of parts of it, then of its end, and has it go on or not. */
    fun start(listener: Listener)

    /** Ends the utterance now. */
    fun stop()

    /** Ends without telling anything more. */
    fun cancel()

    /** Hears from a [Recognizer]. */
    interface Listener {
        fun onPart(text: String)

        /** What was said: segments without ids, and with times where they are known. */
        fun onUtterance(said: List<Segment>)

        /** There was nothing but silence. */
        fun onSilence()

        fun onFailure(trouble: Trouble)
    }
}

/** Turns one utterance after another into the segments of a note, until the person ends it. [choose] says what hears the next note. */
class Dictation(private val notebook: Notebook, private val choose: () -> Recognizer) : Recognizer.Listener {
    private var recognizer = choose()
    private var ending = false

    fun begin() {
        ending = false
        notebook.listen()
        if (!isListening()) return
        recognizer = choose()
        if (!recognizer.keepsSound) notebook.trouble(Trouble.SOUND_NOT_KEPT)
        recognizer.start(this)
    }

    /** Ends the note. What is being said is waited for. */
    fun end() {
        if (!isListening()) return
        ending = true
        recognizer.stop()
    }

    /** Gives the note up, as far as it is not written yet. */
    fun cancel() {
        recognizer.cancel()
        notebook.cancel()
    }

    override fun onPart(text: String) = notebook.hear(text)

    override fun onUtterance(said: List<Segment>) {
        if (!isListening()) return
        notebook.heard(said)
        goOn()
    }

    override fun onSilence() {
        if (!isListening()) return
        keepHearing()
        goOn()
    }

    override fun onFailure(trouble: Trouble) {
        if (!isListening()) return
        keepHearing()
        recognizer.cancel()
        // What was understood so far is worth its summary.
        if (notebook.state.value.segments.isEmpty()) notebook.cancel() else notebook.finishListening()
        notebook.trouble(trouble)
    }

    /** Words that were shown as heard belong to the note, though the recognizer has come to no end with them. */
    private fun keepHearing() {
        val words = notebook.state.value.hearing
        if (words.isNotBlank()) notebook.heard(listOf(Segment(0, words)))
    }

    private fun goOn() = when {
        !ending -> recognizer.start(this)
        notebook.state.value.segments.isEmpty() -> notebook.cancel()
        else -> notebook.finishListening()
    }

    private fun isListening() = notebook.state.value.phase == Phase.LISTENING
}
