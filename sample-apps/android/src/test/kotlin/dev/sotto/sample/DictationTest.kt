package dev.sotto.sample

import dev.sotto.Segment
import dev.sotto.VoiceNote
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull

class DictationTest {
    /** Hears what the test says. */
    private class FakeRecognizer : Recognizer {
        var listener: Recognizer.Listener? = null
        var starts = 0
        var stops = 0
        var isMissing = false
        override var keepsSound = true

        override fun start(listener: Recognizer.Listener) {
            if (isMissing) return listener.onFailure(Trouble.NO_RECOGNIZER)
            this.listener = listener
            starts++
        }

        override fun stop() {
            stops++
        }

        override fun cancel() {
            listener = null
        }
    }

    /** Segments without times, as the platform's recognizer gives them. */
    private fun Recognizer.Listener.hears(text: String) = onUtterance(listOf(Segment(0, text)))

    private val said = listOf("okay short note after standup", "Marcus will write a test by Thursday", "buy milk")

    private fun dictate(block: suspend Notebook.(Dictation, FakeRecognizer) -> Unit) = withNotebook {
        val recognizer = FakeRecognizer()
        block(Dictation(this) { recognizer }, recognizer)
    }

    @Test
    fun `a spoken note is summarized as a written one`() = dictate { dictation, recognizer ->
        dictation.begin()
        for (utterance in said) {
            val half = utterance.take(utterance.length / 2)
            recognizer.listener!!.onPart(half)
            assertEquals(half, state.value.hearing)
            recognizer.listener!!.hears(utterance)
            assertEquals("", state.value.hearing)
            recognizer.listener!!.onSilence()
        }
        assertEquals(said, state.value.segments.map { it.text })
        assertEquals(1 + 2 * said.size, recognizer.starts)
        dictation.end()
        assertEquals(Phase.LISTENING, state.value.phase)
        recognizer.listener!!.onSilence()
        assertEquals(1 to Phase.SUMMARIZING, recognizer.stops to state.value.phase)
        val spoken = untilIdle().summary!!
        val written = demo().use { it.summarize(VoiceNote.segments(said.map { text -> Segment(0, text) })).await() }
        assertEquals(written.title to written.overview, spoken.title to spoken.overview)
        assertEquals(written.points to written.actions, spoken.points to spoken.actions)
        assertEquals(written.coverage, spoken.coverage)
    }

    @Test
    fun `what is said while it ends belongs to the note`() = dictate { dictation, recognizer ->
        dictation.begin()
        recognizer.listener!!.hears(said[1])
        dictation.end()
        recognizer.listener!!.hears(said[2])
        assertEquals(said.drop(1), untilIdle().segments.map { it.text })
        recognizer.listener!!.hears("too late")
        assertEquals(2, state.value.segments.size)
    }

    @Test
    fun `a failing recognizer keeps what it has heard`() = dictate { dictation, recognizer ->
        dictation.begin()
        recognizer.listener!!.hears(said[1])
        recognizer.listener!!.onFailure(Trouble.RECOGNIZER_FAILED)
        assertEquals(Phase.SUMMARIZING, state.value.phase)
        val done = untilIdle()
        assertEquals(Trouble.RECOGNIZER_FAILED, done.trouble)
        assertEquals("Marcus", done.summary!!.actions.single().owner)
    }

    @Test
    fun `what was shown as heard is kept, however the recognizer ends`() = dictate { dictation, recognizer ->
        dictation.begin()
        recognizer.listener!!.onPart(said[1])
        recognizer.listener!!.onSilence()
        assertEquals("" to said[1], state.value.hearing to state.value.segments.single().text)
        assertEquals(2, recognizer.starts)
        recognizer.listener!!.onPart(said[2])
        recognizer.listener!!.onFailure(Trouble.RECOGNIZER_FAILED)
        assertEquals(said.drop(1), state.value.segments.map { it.text })
        assertEquals(Phase.SUMMARIZING to Trouble.RECOGNIZER_FAILED, state.value.phase to state.value.trouble)
        assertEquals("Marcus", untilIdle().summary!!.actions.first().owner)
    }

    @Test
    fun `without a word there is no note`() = dictate { dictation, recognizer ->
        dictation.begin()
        recognizer.listener!!.onFailure(Trouble.NO_RECOGNIZER)
        assertEquals(Phase.IDLE to Trouble.NO_RECOGNIZER, state.value.phase to state.value.trouble)
        dictation.begin()
        assertNull(state.value.trouble)
        dictation.end()
        recognizer.listener!!.onSilence()
        assertEquals(NoteState(model = ModelState.Ready("demo")), state.value)
    }

    @Test
    fun `without a word, the note before is there again`() = dictate { dictation, recognizer ->
        paste(NOTE)
        summarize()
        tap(untilIdle().summary!!.actions.first().evidence)
        val before = state.value
        val endings = listOf(
            { recognizer.listener!!.onFailure(Trouble.NO_RECOGNIZER) },
            { dictation.end().also { recognizer.listener!!.onSilence() } },
            { recognizer.listener!!.hears(" ").also { dictation.cancel() } },
            { recognizer.listener!!.onPart("buy").also { dictation.cancel() } },
        )
        for (end in endings) {
            dictation.begin()
            assertEquals(Phase.LISTENING to emptyList(), state.value.phase to state.value.segments)
            end()
            assertEquals(before, state.value.copy(trouble = null))
        }
        recognizer.isMissing = true
        dictation.begin()
        assertEquals(before.copy(trouble = Trouble.NO_RECOGNIZER), state.value)
    }

    @Test
    fun `each spoken note is one of its own`() = dictate { dictation, recognizer ->
        for (utterance in said.drop(1)) {
            dictation.begin()
            recognizer.listener!!.hears(utterance)
            dictation.end()
            recognizer.listener!!.onSilence()
            untilIdle()
        }
        assertEquals(said.drop(1).reversed(), state.value.notes.map { it.segments.single().text })
        val before = state.value
        dictation.begin()
        dictation.cancel()
        assertEquals(before, state.value, "a note without a word is none")
    }

    @Test
    fun `a person is told that no sound is kept`() = dictate { dictation, recognizer ->
        dictation.begin()
        assertNull(state.value.trouble)
        dictation.cancel()
        recognizer.keepsSound = false
        dictation.begin()
        assertEquals(Phase.LISTENING to Trouble.SOUND_NOT_KEPT, state.value.phase to state.value.trouble)
    }

    @Test
    fun `a note can be given up`() = dictate { dictation, recognizer ->
        dictation.begin()
        recognizer.listener!!.hears(said[0])
        dictation.cancel()
        assertEquals(Phase.IDLE to null, state.value.phase to recognizer.listener)
        assertEquals(1, state.value.segments.size)
        dictation.end()
        assertEquals(0, recognizer.stops)
        summarize()
        assertEquals(Phase.SUMMARIZING, state.value.phase)
    }

    @Test
    fun `each note is heard by what is there then`() = withNotebook {
        val (platform, model) = FakeRecognizer() to FakeRecognizer()
        var isInstalled = false
        val dictation = Dictation(this) { if (isInstalled) model else platform }
        dictation.begin()
        isInstalled = true
        platform.listener!!.hears(said[0])
        assertEquals(2 to 0, platform.starts to model.starts)
        dictation.cancel()
        dictation.begin()
        assertEquals(2 to 1, platform.starts to model.starts)
    }
}
