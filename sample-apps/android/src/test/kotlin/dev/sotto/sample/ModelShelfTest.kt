package dev.sotto.sample

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
        shelf.demo(DEMO_FILE::inputStream).close()
        assertFalse(shelf.hasChosen)
        shelf.demo { error("it is copied already") }.close()
    }

    @Test
    fun `what cannot be read leaves nothing`() = runBlocking {
        assertFailsWith<IOException> { shelf.choose({ Failing(after = 3) }, null) {} }
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
