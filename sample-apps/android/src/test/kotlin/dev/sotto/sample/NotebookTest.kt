package dev.sotto.sample

import dev.sotto.LoadOptions
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.Segment
import dev.sotto.VoiceNote
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.File
import java.io.FileNotFoundException
import kotlin.io.path.createTempDirectory
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

class NotebookTest {
    @Test
    fun `a pasted note is summarized and labelled`() = withNotebook {
        paste(NOTE)
        assertEquals(VoiceNote.text(NOTE).segments, state.value.segments)
        assertFalse(state.value.phase == Phase.SUMMARIZING)
        summarize()
        until { phase == Phase.SUMMARIZING && summary != null && summary.metrics == null }
        val done = untilIdle()
        val action = done.summary!!.actions.first { "write a test" in it.text }
        assertContains(action.detail, "Marcus")
        assertContains(Learning.LABELS, done.label)
        assertEquals(listOf(done.summary.metrics), done.runs)
        assertNull(done.trouble)
    }

    @Test
    fun `a tapped line highlights its segments, and no longer when it is tapped again`() = withNotebook {
        paste(NOTE)
        summarize()
        tap(untilIdle().summary!!.actions.first { "write a test" in it.text }.evidence)
        assertEquals(setOf(3), state.value.highlighted)
        tap(listOf(4))
        assertEquals(setOf(4), state.value.highlighted)
        tap(listOf(4))
        assertEquals(emptySet(), state.value.highlighted)
    }

    @Test
    fun `evidence is played where its sound was kept`() {
        val player = Playlist()
        withNotebook(player) {
            listen()
            sound().writeBytes(ByteArray(9))
            heard(listOf(Segment(0, "Call Tom.", 0.5, 2.0), Segment(0, "Buy milk.", 2.5, 4.0), Segment(0, "Okay.", 9.0, 9.5)))
            tap(listOf(1))
            assertEquals(emptyList(), player.played, "the microphone would hear it")
            tap(listOf(1))
            val kept = sound()
            cancel()
            tap(listOf(1))
            assertEquals(listOf(kept to 0.5..2.0), player.played)
            tap(listOf(1))
            assertFalse(player.isPlaying)
            tap(listOf(2, 1))
            tap(listOf(1, 3))
            assertEquals(listOf(0.5..4.0, 0.5..2.0), player.played.drop(1).map { it.second })
            kept.delete()
            tap(listOf(3))
            assertEquals(3 to setOf(3), player.played.size to state.value.highlighted)
            paste(NOTE)
            tap(listOf(1))
            assertEquals(3 to false, player.played.size to player.isPlaying)
        }
    }

    @Test
    fun `a summary can be cancelled and asked for again`() = withNotebook {
        paste(NOTE.repeat(4))
        summarize()
        until { summary != null }
        cancel()
        assertEquals(Phase.IDLE, state.value.phase)
        val left = state.value
        delay(100)
        assertEquals(left, state.value, "the cancelled summary went on")
        summarize()
        assertNotNull(untilIdle().summary?.metrics)
    }

    @Test
    fun `what cannot be done now is not done`() = withNotebook {
        summarize()
        heard(said("Nobody listens."))
        finishListening()
        assertEquals(NoteState(model = ModelState.Ready("demo")), state.value)
        paste(NOTE)
        summarize()
        val busy = state.value
        paste("Another note.")
        listen()
        assertEquals(busy.segments, state.value.segments)
        assertEquals(Phase.SUMMARIZING, state.value.phase)
    }

    @Test
    fun `a text that is shared in between is told of, not lost in silence`() = withNotebook {
        paste(NOTE)
        summarize()
        val busy = state.value
        share("Buy milk.")
        assertEquals(busy.copy(trouble = Trouble.BUSY), state.value)
        untilIdle()
        share("Buy milk.")
        assertEquals(listOf("Buy milk."), state.value.segments.map { it.text })
        assertEquals(Phase.SUMMARIZING to null, state.value.phase to state.value.trouble)
    }

    @Test
    fun `a text file that is shared is summarized once it is read`() = withNotebook {
        paste("Buy milk.")
        val answer = CompletableDeferred<Unit>()
        share(
            document {
                runBlocking { answer.await() }
                NOTE.byteInputStream()
            },
        )
        val reading = state.value
        assertEquals(Phase.READING, reading.phase)
        listen()
        paste("Call Tom.")
        share(document(ByteArray(0)))
        assertEquals(reading.copy(trouble = Trouble.BUSY), state.value)
        answer.complete(Unit)
        assertEquals(VoiceNote.text(NOTE).segments, until { phase == Phase.SUMMARIZING }.segments)
        assertNotNull(untilIdle().summary?.metrics)
    }

    @Test
    fun `a shared file that cannot be used is told of, and the note stays`() = withNotebook {
        paste(NOTE)
        val before = state.value
        val troubles = mapOf(
            document { throw FileNotFoundException("it is gone") } to Trouble.FILE_UNREADABLE,
            document { throw SecurityException("it is private") } to Trouble.FILE_UNREADABLE,
            document(ByteArray(9) { -1 }) to Trouble.FILE_UNREADABLE,
            document(ByteArray(0)) to Trouble.NOTHING_TO_PASTE,
            document(ByteArray(Document.LONGEST_TEXT + 1)) to Trouble.NOTE_TOO_LONG,
        )
        for ((file, trouble) in troubles) {
            share(file)
            assertEquals(before.copy(trouble = trouble), until { phase == Phase.IDLE && this.trouble != null })
        }
    }

    @Test
    fun `a shared file of which nothing comes can be given up`() = withNotebook {
        paste(NOTE)
        val before = state.value
        val silent = Silent()
        share(document { silent })
        silent.isRead.untilReached()
        cancel()
        assertEquals(before, state.value)
        silent.closed.untilReached()
        delay(50)
        assertEquals(before, state.value)
    }

    @Test
    fun `no note takes the place of another, and each can be opened again`() = withNotebook {
        paste(NOTE)
        summarize()
        val first = untilIdle()
        tick(first.summary!!.actions.first().id)
        share("Buy milk.")
        assertEquals("Buy milk.", state.value.segments.single().text)
        open(first.id!!)
        assertEquals(Trouble.BUSY, state.value.trouble, "its summary would land in another note")
        untilIdle()
        assertEquals(listOf("Buy milk.", first.segments.first().text), state.value.notes.map { it.segments.first().text })
        open(first.id)
        assertEquals(first.segments to first.summary, state.value.segments to state.value.summary)
        assertEquals(setOf(first.summary.actions.first().id), state.value.ticked)
        open("there is none")
        assertEquals(first.id, state.value.id)
    }

    @Test
    fun `an action is done until it is no longer, and a new summary has new ones`() = withNotebook {
        paste(NOTE)
        summarize()
        val action = untilIdle().summary!!.actions.first().id
        tick(action)
        assertEquals(setOf(action), state.value.notes.single().ticked)
        tick(action)
        assertEquals(emptySet(), state.value.ticked)
        tick(action)
        summarize()
        assertEquals(emptySet(), untilIdle().ticked)
    }

    @Test
    fun `a deleted note is gone, and so is the work on it`() = withNotebook {
        paste("Call Tom.")
        val other = state.value.id!!
        paste(NOTE)
        summarize()
        delete(state.value.id!!)
        assertEquals(Phase.IDLE to null, state.value.phase to state.value.id)
        assertEquals(listOf(other), state.value.notes.map { it.id })
        delay(100)
        assertEquals(0 to null, state.value.segments.size to state.value.summary)
        delete(other)
        assertEquals(NoteState(model = ModelState.Ready("demo")), state.value)
    }

    @Test
    fun `a note that is too long for a label has its summary`() = withNotebook {
        useModel("short") { LocalModel.load(ModelFile.path(DEMO_FILE), LoadOptions(contextLength = 512)) }
        paste(List(30) { NOTE }.joinToString(" "))
        summarize()
        val done = untilIdle()
        assertTrue(done.summary!!.coverage.windows > 1)
        assertEquals(null to null, done.label to done.trouble)
    }

    @Test
    fun `a text that was cut within a character is told of`() = withNotebook {
        paste(NOTE)
        share("Buy milk. \uD83C\uDF89".dropLast(1))
        assertEquals(Trouble.TEXT_UNUSABLE, state.value.trouble)
        assertEquals(Phase.IDLE to VoiceNote.text(NOTE).segments, state.value.phase to state.value.segments)
        listen()
        heard(said("\uD83C"))
        assertEquals(Phase.LISTENING to Trouble.TEXT_UNUSABLE, state.value.phase to state.value.trouble)
        heard(said("Buy milk."))
        assertEquals(listOf("Buy milk."), state.value.segments.map { it.text })
    }

    @Test
    fun `a file that is no model is told, and the next one is used`() = withNotebook {
        useModel("pom") { LocalModel.load(ModelFile.path(File("pom.xml"))) }
        val without = until { trouble != null }
        assertEquals(Trouble.MODEL_DAMAGED to ModelState.Missing, without.trouble to without.model)
        paste(NOTE)
        assertFalse(state.value.canSummarize)
        useModel("gone") { LocalModel.load(ModelFile.path(File("no/such/file"))) }
        assertEquals(Trouble.MODEL_NOT_FOUND, until { trouble != null }.trouble)
        useModel("demo") { demo() }
        // A model that is still being loaded is waited for.
        summarize()
        assertNotNull(untilIdle().summary?.metrics)
        assertNull(state.value.trouble)
    }

    @Test
    fun `the model before can be used again after one that fails`() = withNotebook {
        useModel("pom", otherwise = { useModel("demo") { demo() } }) { LocalModel.load(ModelFile.path(File("pom.xml"))) }
        val again = until { model == ModelState.Ready("demo") && trouble != null }
        assertEquals(Trouble.MODEL_DAMAGED, again.trouble)
    }

    @Test
    fun `another model takes the place of one at work`() = withNotebook {
        paste(NOTE)
        summarize()
        until { summary != null }
        useModel("again") { demo() }
        useModel("and again") { onProgress ->
            onProgress(0.5f)
            demo()
        }
        until { model == ModelState.Loading("and again", 0.5f) }
        assertEquals(ModelState.Ready("and again"), until { model is ModelState.Ready }.model)
        assertEquals(Phase.IDLE, state.value.phase)
        summarize()
        assertNotNull(untilIdle().summary?.metrics)
    }

    @Test
    fun `a model that never comes keeps no other one waiting`() = withNotebook {
        val folder = createTempDirectory().toFile()
        val shelf = modelShelf(CoroutineScope(Job()), folder)
        val silent = Silent()
        useModel("never") { onProgress -> shelf.choose(document { silent }, onProgress) }
        silent.isRead.untilReached()
        useModel("demo") { demo() }
        until { model == ModelState.Ready("demo") }
        assertEquals(emptyList(), folder.list()?.toList())
        folder.deleteRecursively()
    }

    @Test
    fun `a model that is ready just after it was given up is closed`() = withNotebook {
        val late = CompletableDeferred<LocalModel>()
        val isWanted = CompletableDeferred<Unit>()
        useModel("late") {
            withContext(NonCancellable) {
                isWanted.await()
                demo().also(late::complete)
            }
        }
        useModel("demo") { demo() }
        isWanted.complete(Unit)
        until { model == ModelState.Ready("demo") }
        assertFailsWith<IllegalStateException> { late.await().inspect() }
    }

    @Test
    fun `too long a note and an empty one are told in words`() = withNotebook {
        useModel("short") { LocalModel.load(ModelFile.path(DEMO_FILE), LoadOptions(contextLength = 64)) }
        paste("a".repeat(5000))
        summarize()
        assertEquals(Trouble.NOTE_TOO_LONG, untilIdle().trouble)
        paste("  \n ")
        assertEquals(Trouble.NOTHING_TO_PASTE, state.value.trouble)
        trouble(null)
        assertNull(state.value.trouble)
        assertTrue(state.value.canPaste)
    }
}
