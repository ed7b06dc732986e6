package dev.sotto.sample

import dev.sotto.Segment
import kotlinx.coroutines.delay
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

class NoteStoreTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val folder by lazy { temporary.root.resolve("notes") }
    private val store by lazy { NoteStore(folder) }
    private val note = KeptNote("a", 1, listOf(Segment(1, "Call Tom.")))

    /** What another process would find. */
    private fun kept() = NoteStore(folder).read()

    private fun NoteStore.keep(vararg notes: KeptNote) = keep(notes.toList()) { emptySet() }

    private suspend fun Notebook.untilKept() {
        while (kept() != state.value.notes) delay(5)
    }

    @Test
    fun `a spoken note outlives the app, and so does its summary`() {
        withNotebook(store) {
            listen()
            heard(said("Marcus will write a test by Thursday."))
            untilKept()
            heard(said("Buy milk."))
            untilKept()
        }
        lateinit var done: NoteState
        withNotebook(store) {
            val spoken = state.value.notes.single()
            assertEquals(listOf("Marcus will write a test by Thursday.", "Buy milk."), spoken.segments.map { it.text })
            assertNull(state.value.id, "nobody has opened it")
            open(spoken.id)
            summarize()
            untilIdle()
            tick(state.value.summary!!.actions.first().id)
            done = state.value
            untilKept()
        }
        withNotebook(store) {
            open(state.value.notes.single().id)
            assertEquals(done.copy(runs = emptyList()), state.value)
        }
        assertNotNull(done.toKeep()?.summary?.metrics)
        assertEquals(1, done.ticked.size)
    }

    @Test
    fun `the latest note comes first, and one that is deleted is gone`() {
        val (older, newer) = note to note.copy(id = "b", at = 2)
        store.keep(older, newer)
        store.sound("a").writeText("sound")
        assertEquals(listOf(newer, older), kept())
        store.keep(newer)
        assertEquals(listOf(newer), kept())
        assertEquals(listOf("b.json"), folder.list()?.toList())
    }

    @Test
    fun `what cannot be written leaves the note before, and is told`() {
        store.keep(note)
        Files.createSymbolicLink(Path.of("$folder/next"), Path.of("/dev/full"))
        assertFailsWith<IOException> { store.keep(note.copy(label = "task")) }
        assertEquals(listOf(note), kept())
        withNotebook(store) {
            listen()
            heard(said("Buy milk."))
            assertEquals(Trouble.NO_SPACE, until { trouble != null }.trouble)
            assertEquals(listOf(note), kept())
        }
    }

    @Test
    fun `each note keeps its own sound`() = withNotebook(store) {
        listen()
        val first = sound().apply { writeText("first") }
        heard(said("Call Tom."))
        untilKept()
        cancel()
        listen()
        val second = sound().apply { writeText("second") }
        delay(100)
        assertEquals(true to true, first.exists() to second.exists(), "there is no word yet, but there may be")
        cancel()
        assertEquals(first, sound(), "the note before is there again")
        while (second.exists()) delay(5)
        listen()
        val third = sound().apply { writeText("third") }
        heard(said("Buy milk."))
        cancel()
        untilKept()
        assertTrue(first.exists() && third.exists())
        delete(state.value.id!!)
        while (third.exists()) delay(5)
        assertTrue(first.exists())
    }

    @Test
    fun `a file that is no note is passed over, and stays`() {
        store.keep(note)
        val texts = listOf("", "{", "[]", "{\"segments\":[]}", "\u0000".repeat(9), File(folder, "a.json").readText())
        texts.forEachIndexed { index, text -> File(folder, "other$index.json").writeText(text) }
        assertEquals(listOf(note), kept())
        store.keep(note.copy(label = "task"))
        assertEquals(1 + texts.size, folder.list()?.size)
    }
}
