package dev.sotto.sample

import dev.sotto.Event
import dev.sotto.Personal
import dev.sotto.Reason
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.io.ByteArrayOutputStream
import java.io.File
import kotlin.coroutines.coroutineContext
import kotlin.io.path.createTempDirectory
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** What the app learns from what a person does, and how it is shown and deleted, with the real store and the demo model. */
class LearningTest {
    private val folder = createTempDirectory().toFile()
    private val personal = File(folder, "personal")
    private val learning = Learning { Personal.open(personal) }

    private fun withLearning(block: suspend Notebook.() -> Unit) = try {
        withNotebook(NoteStore(File(folder, "notes")), learning = learning, block = block)
    } finally {
        runBlocking { learning.store().close() }
        folder.deleteRecursively()
    }

    private suspend fun records() = learning.store().records().map { it.payload }

    private suspend inline fun <reified P : Personal.Payload> learnt(): List<P> = records().filterIsInstance<P>()

    /** Pastes and summarizes a note, and gives its id. */
    private suspend fun Notebook.note(text: String): String {
        paste(text)
        summarize()
        return assertNotNull(
            until {
                phase == Phase.IDLE && summary?.metrics != null && text.startsWith(segments.first().text)
            }.id,
        )
    }

    @Test
    fun `a corrected label is learnt, and the next note of the kind gets it`() = withLearning {
        val days = listOf("Monday", "Tuesday", "Wednesday", "Thursday", "Saturday")
        val taught = days.flatMap {
            listOf(
                "The canteen sent its menu for $it: soup and noodles." to "ignorable",
                "Anna wrote that the contract has to be signed by $it." to "urgent",
            )
        }
        for ((text, label) in taught) {
            paste(text)
            correct(label)
        }
        while (learnt<Personal.Payload.Example>().size < taught.size) yield()
        note("The canteen sent its menu for Friday: soup and rice.")
        assertEquals("ignorable", until { phase == Phase.IDLE && label != null }.label)
        note("Anna wrote that the lease has to be signed by Friday.")
        assertEquals("urgent", until { phase == Phase.IDLE && label != null }.label)
    }

    @Test
    fun `more like this suggests notes that are alike, not this keeps them away, and both say why`() = withLearning {
        val first = note("The trip to the lake: trains leave at nine, bring a tent for the lake.")
        val alike = note("Another trip to the lake: bring the tent, the trains to the lake are slow.")
        note("The printer in the office is out of paper.")
        open(first)
        want(more = true)
        val found = until { forYou.any { it.note == alike } }.forYou.first { it.note == alike }
        assertEquals(first, assertIs<Reason.Taste>(found.reason).like)
        open(alike)
        want(more = false)
        until { wanted == false && forYou.none { it.note == alike } }
        while (learnt<Personal.Payload.Event>().last().event != Event.DISMISSED) yield()
        assertEquals(false, until { notes.any { it.id == alike && it.wanted == false } }.wanted)
    }

    @Test
    fun `nothing of a deleted note is left`() = withLearning {
        val id = note("Zanzibar needs the ticket of Quetzal by Friday.")
        correct("urgent")
        want(more = true)
        while (learnt<Personal.Payload.Example>().isEmpty() || learnt<Personal.Payload.Event>().isEmpty()) yield()
        assertTrue(personal.readText(Charsets.ISO_8859_1).contains("Quetzal"))
        delete(id)
        while (records().isNotEmpty()) yield()
        // They are not listed any more before their bytes are gone. This takes its turn behind that.
        learning.forYou(emptyList())
        assertFalse(personal.readText(Charsets.ISO_8859_1).contains("Quetzal"))
    }

    @Test
    fun `one note is forgotten from any of its records, and the others stay known`() = withLearning {
        val other = note(NOTE)
        want(more = true)
        val gone = note("The printer in the office is out of paper.")
        correct("urgent")
        want(more = false)
        val events = Personal.Filter(kind = Personal.Kind.EVENT)
        while (learning.store().records(events).size < 2) yield()
        val event = learning.store().records(events).last()
        assertEquals(gone, event.note)
        Knowledge(CoroutineScope(coroutineContext), learning) { }.forget(event.note).join()
        assertEquals(setOf(other), learning.store().records().map { it.note }.toSet())
    }

    @Test
    fun `while learning is paused nothing is learnt, and a person is told`() = withLearning {
        note(NOTE)
        learning.store().setPaused(true)
        val before = records().size
        correct("attention")
        assertEquals("attention", until { trouble == Trouble.LEARNING_PAUSED }.label)
        assertEquals(before, records().size)
    }

    @Test
    fun `everything is shown, exported and deleted`() = withLearning {
        note(NOTE)
        correct("task")
        while (learnt<Personal.Payload.Example>().isEmpty()) yield()
        var changes = 0
        val knowledge = Knowledge(CoroutineScope(coroutineContext), learning) { changes++ }
        knowledge.refresh().join()
        assertEquals(records().size, knowledge.state.value.records.size)
        val exported = ByteArrayOutputStream()
        knowledge.export(folder) { exported }.join()
        assertContains(exported.toString(Charsets.UTF_8), "Marcus will write a test")
        assertFalse(File(folder, "sotto.json").exists())
        val example = knowledge.state.value.records.first { it.payload is Personal.Payload.Example }
        knowledge.delete(example).join()
        assertEquals(listOf(example.id), knowledge.state.value.deleted?.records)
        assertTrue(learnt<Personal.Payload.Example>().isEmpty())
        knowledge.delete(example).join()
        assertNotNull(knowledge.state.value.trouble)
        knowledge.deleteAll().join()
        assertTrue(knowledge.state.value.records.isEmpty())
        assertEquals(4, changes)
        knowledge.pause(true).join()
        assertTrue(knowledge.state.value.isPaused && learning.store().isPaused())
    }

    @Test
    fun `a store that is in use elsewhere costs no note, and is said`() = withLearning {
        val elsewhere = Personal.open(File(folder, "other"))
        val failing = Learning { Personal.open(File(folder, "other")) }
        withNotebookBeside(failing) {
            paste(NOTE)
            summarize()
            val done = until { phase == Phase.IDLE && summary?.metrics != null }
            assertEquals(Trouble.LEARNING_IN_USE, done.trouble)
            elsewhere.close()
            assertTrue(failing.forYou(done.notes).isEmpty())
        }
        failing.store().close()
    }

    private suspend fun withNotebookBeside(learning: Learning, block: suspend Notebook.() -> Unit) {
        withContext(Dispatchers.IO) {
            withNotebook(NoteStore(File(folder, "beside")), learning = learning, block = block)
        }
    }
}
