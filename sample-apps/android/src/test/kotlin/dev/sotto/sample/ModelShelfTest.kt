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
import kotlin.test.assertTrue

class ModelShelfTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val shelf by lazy { ModelShelf(folder.root.resolve("models")) }

    private fun files() = folder.root.resolve("models").list().orEmpty().sorted()

    @Test
    fun `a chosen model is kept until the demo model is wanted again`() = runBlocking {
        val progress = mutableListOf<Float>()
        shelf.choose(DEMO_FILE::inputStream, DEMO_FILE.length(), progress::add).close()
        assertEquals(progress.sorted() to 1f, progress to progress.last())
        assertTrue(shelf.hasChosen)
        ModelShelf(folder.root.resolve("models")).chosen().close()
        shelf.demo(ModelFile.path(DEMO_FILE)).close()
        assertFalse(shelf.hasChosen)
    }

    @Test
    fun `a full disk is told as such`() = runBlocking {
        folder.newFolder("models")
        // Whatever is written there finds no space.
        Files.createSymbolicLink(folder.root.resolve("models/chosen.gguf.part").toPath(), Path.of("/dev/full"))
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
