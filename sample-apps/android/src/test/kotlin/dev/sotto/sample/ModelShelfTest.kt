package dev.sotto.sample

import dev.sotto.ModelFile
import dev.sotto.SottoException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import java.io.ByteArrayInputStream
import java.io.IOException
import java.io.InputStream
import java.nio.file.Files
import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

class ModelShelfTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val shelf by lazy { ModelShelf(models) }

    private val models by lazy { folder.root.resolve("models") }

    private fun files() = models.walk().filter { it != models }.map { it.toRelativeString(models) }.sorted().toList()

    /** The packed copies of the chosen model. */
    private fun packed() = models.resolve("chosen").listFiles { file -> file.extension == "sotto" }.orEmpty().toList()

    private suspend fun chooseDemo(onProgress: (Float) -> Unit = {}) =
        shelf.choose(DEMO_FILE::inputStream, DEMO_FILE.length(), onProgress).close()

    @Test
    fun `a chosen model is kept until the demo model is wanted again`() = runBlocking {
        val progress = mutableListOf<Float>()
        chooseDemo(progress::add)
        assertEquals(progress.sorted() to 1f, progress to progress.last())
        assertTrue(shelf.hasChosen)
        ModelShelf(models).chosen().close()
        shelf.demo(ModelFile.path(DEMO_FILE)).close()
        assertFalse(shelf.hasChosen)
        assertTrue(files().single().startsWith("sotto-demo-"), "more is left than the demo model's copy: ${files()}")
    }

    @Test
    fun `an app that is ended while a model takes the place of another has the one before`() = runBlocking {
        chooseDemo()
        assertTrue(models.resolve("chosen").renameTo(models.resolve("previous")))
        val restarted = ModelShelf(models)
        assertTrue(restarted.hasChosen)
        restarted.chosen().close()
    }

    @Test
    fun `a file that is no model leaves the chosen one`() = runBlocking {
        chooseDemo()
        val before = files()
        assertFailsWith<SottoException.ModelInvalid> { shelf.choose({ ByteArrayInputStream(ByteArray(64)) }, 64) {} }
        assertFailsWith<IOException> { shelf.choose({ Failing(after = 3) }, null) {} }
        assertEquals(before, files())
        shelf.chosen().close()
    }

    @Test
    fun `another model takes the place of the chosen one, and is packed once`() = runBlocking {
        chooseDemo()
        val first = packed().single()
        chooseDemo()
        val second = packed().single()
        assertNotEquals(first.name, second.name)
        val packedAt = second.lastModified()
        shelf.chosen().close()
        assertEquals(packedAt, packed().single().lastModified())
        assertEquals(listOf("chosen"), models.list()?.toList())
    }

    @Test
    fun `a chosen model that cannot be loaded now is kept`() = runBlocking {
        chooseDemo()
        shelf.chosen().close()
        // Nothing can take the place of a folder.
        packed().single().apply { delete() }.resolve("full").mkdirs()
        assertFailsWith<SottoException.Storage> { shelf.chosen() }
        assertTrue(shelf.hasChosen)
    }

    @Test
    fun `a full disk is told as such`() = runBlocking {
        folder.newFolder("models", "next")
        // Whatever is written there finds no space.
        Files.createSymbolicLink(models.resolve("next/model.gguf").toPath(), Path.of("/dev/full"))
        val full = assertFailsWith<IOException> { shelf.choose(DEMO_FILE::inputStream, null) {} }
        assertEquals(Trouble.NO_SPACE, Trouble.of(full))
        assertEquals(emptyList(), files())
    }

    @Test
    fun `what cannot be read leaves nothing`() = runBlocking {
        val unreadable = assertFailsWith<IOException> { shelf.choose({ Failing(after = 3) }, null) {} }
        assertEquals(Trouble.FILE_UNREADABLE, Trouble.of(unreadable))
        assertEquals(emptyList(), files())
        assertFailsWith<SottoException.ModelInvalid> { shelf.choose({ ByteArrayInputStream(ByteArray(64)) }, 64) {} }
        assertFalse(shelf.hasChosen)
    }

    @Test
    fun `a cancelled copy leaves nothing`() {
        assertFailsWith<CancellationException> {
            runBlocking {
                coroutineScope { shelf.choose({ Failing(after = Int.MAX_VALUE) }, 1L shl 40) { cancel() }.close() }
            }
        }
        assertEquals(emptyList(), files())
    }

    /** Zeros, then an error. */
    private class Failing(private var after: Int) : InputStream() {
        override fun read(): Int = if (after-- > 0) 0 else throw IOException("the card was pulled out")
    }
}
