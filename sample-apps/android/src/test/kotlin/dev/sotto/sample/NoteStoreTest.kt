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

class NoteStoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file by lazy { folder.root.resolve("notes/note.json") }
    private val store by lazy { NoteStore(file) }

    private suspend fun Notebook.untilKept() {
        while (store.read() != state.value.toKeep()) delay(5)
    }

    private fun fillTheDisk() {
        Files.createSymbolicLink(Path.of("$file.next"), Path.of("/dev/full"))
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
            assertEquals(listOf("Marcus will write a test by Thursday.", "Buy milk."), state.value.segments.map { it.text })
            paste("Another note.")
            assertNotNull(state.value.offered, "that it was spoken is forgotten")
            declineOffer()
            summarize()
            done = untilIdle()
            untilKept()
        }
        withNotebook(store) { assertEquals(NoteState(done.model).with(done.toKeep()), state.value) }
        assertNotNull(done.toKeep()?.summary?.metrics)
    }

    @Test
    fun `the note before stays until there is another one`() = withNotebook(store) {
        paste(NOTE)
        untilKept()
        val kept = store.read()
        listen()
        delay(100)
        assertEquals(kept, store.read())
        heard(said("Buy milk."))
        untilKept()
        assertEquals("Buy milk.", store.read()?.segments?.single()?.text)
    }

    @Test
    fun `what cannot be written leaves the note before, and is told`() {
        val note = KeptNote(listOf(Segment(1, "Call Tom.")), isSpoken = true)
        store.write(note)
        fillTheDisk()
        assertFailsWith<IOException> { store.write(note.copy(label = "task")) }
        assertEquals(note, store.read())
        withNotebook(store) {
            listen()
            heard(said("Buy milk."))
            assertEquals(Trouble.NO_SPACE, until { trouble != null }.trouble)
            assertEquals(note, store.read())
        }
    }

    @Test
    fun `a note keeps its own sound alone`() {
        lateinit var sound: File
        withNotebook(store) {
            listen()
            sound = sound().apply { writeText("first") }
            heard(said("Call Tom."))
            untilKept()
            cancel()
            listen()
            acceptOffer()
            val next = sound().apply { writeText("second") }
            delay(100)
            assertEquals(true to true, sound.exists() to next.exists(), "there is no word yet: both may be needed")
            cancel()
            assertEquals(sound, sound(), "the note before is there again")
            listen()
            acceptOffer()
            val last = sound().apply { writeText("third") }
            heard(said("Buy milk."))
            untilKept()
            while (sound.exists() || next.exists()) delay(5)
            sound = last
        }
        withNotebook(store) { assertEquals(sound to "third", sound() to sound().readText()) }
    }

    @Test
    fun `a file that is no note is none`() {
        assertNull(store.read())
        file.parentFile.mkdirs()
        for (text in listOf("", "{", "[]", "{\"segments\":[]}", "\u0000".repeat(9))) {
            file.writeText(text)
            assertNull(store.read())
        }
    }
}
