package dev.sotto.sample

import dev.sotto.ModelFile
import dev.sotto.SottoException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.Rule
import org.junit.rules.TemporaryFolder
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
import kotlin.time.Duration.Companion.seconds

class ModelShelfTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val scope = CoroutineScope(SupervisorJob())
    private val shelf by lazy { modelShelf(scope, models) }

    private val models by lazy { folder.root.resolve("models") }

    private fun files() = models.walk().filter { it != models }.map { it.toRelativeString(models) }.sorted().toList()

    /** The packed copies of the chosen model. */
    private fun packed() = models.resolve("chosen").listFiles { file -> file.extension == "sotto" }.orEmpty().toList()

    private suspend fun chooseDemo(onProgress: (Float) -> Unit = {}) =
        shelf.choose(Document({ DEMO_FILE.length() }, { DEMO_FILE.inputStream() }), onProgress).close()

    /** Where a choice puts its copy. */
    private fun next() = models.listFiles { file -> file.name.startsWith("next") }.orEmpty().toList()

    @After
    fun `end what goes on`() = scope.cancel()

    @Test
    fun `a chosen model is kept until the demo model is wanted again`() = runBlocking {
        val progress = mutableListOf<Float>()
        chooseDemo(progress::add)
        assertEquals(progress.sorted() to 1f, progress to progress.last())
        assertTrue(shelf.hasChosen)
        modelShelf(scope, models).chosen().close()
        shelf.own(ModelFile.path(DEMO_FILE)).close()
        assertFalse(shelf.hasChosen)
        assertTrue(files().single().startsWith("sotto-demo-"), "more is left than the demo model's copy: ${files()}")
    }

    @Test
    fun `an app that is ended while a model takes the place of another has the one before`() = runBlocking {
        chooseDemo()
        assertTrue(models.resolve("chosen").renameTo(models.resolve("previous")))
        val restarted = modelShelf(scope, models)
        assertTrue(restarted.hasChosen)
        restarted.chosen().close()
    }

    @Test
    fun `what an app has left that was ended while it took a model goes`() = runBlocking {
        chooseDemo()
        val before = files()
        for (left in listOf("next", "next-1", "previous")) {
            models.resolve(left).mkdirs()
            models.resolve("$left/model.gguf").writeBytes(ByteArray(99))
        }
        val restarted = modelShelf(scope, models)
        withTimeout(10.seconds) { while (files() != before) delay(5) }
        restarted.chosen().close()
    }

    @Test
    fun `a file that is no model leaves the chosen one`() = runBlocking {
        chooseDemo()
        val before = files()
        assertFailsWith<SottoException.ModelInvalid> { shelf.choose(document(ByteArray(64))) {} }
        assertFailsWith<IOException> { shelf.choose(document { Failing(after = 3) }) {} }
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
        // Whatever is written there finds no space.
        fun fillTheDisk() = Files.createSymbolicLink(next().single().resolve("model.gguf").toPath(), Path.of("/dev/full"))
        val document = Document({ 64L.also { fillTheDisk() } }, { DEMO_FILE.inputStream() })
        val full = assertFailsWith<IOException> { shelf.choose(document) {} }
        assertEquals(Trouble.NO_SPACE, Trouble.of(full))
        assertEquals(emptyList(), files())
    }

    @Test
    fun `what cannot be read leaves nothing`() = runBlocking {
        val unreadable = assertFailsWith<IOException> { shelf.choose(document { Failing(after = 3) }) {} }
        assertEquals(Trouble.FILE_UNREADABLE, Trouble.of(unreadable))
        assertEquals(emptyList(), files())
        assertFailsWith<SottoException.ModelInvalid> { shelf.choose(document(ByteArray(64))) {} }
        assertFalse(shelf.hasChosen)
    }

    @Test
    fun `a cancelled copy leaves nothing`() {
        assertFailsWith<CancellationException> {
            runBlocking {
                val endless = Document({ 1L shl 40 }, { Failing(after = Int.MAX_VALUE) })
                coroutineScope { shelf.choose(endless) { cancel() }.close() }
            }
        }
        assertEquals(emptyList(), files())
    }

    @Test
    fun `a choice of which nothing comes can be given up, and takes nothing from the next one`() = runBlocking {
        val silent = Silent()
        val stuck = scope.launch { shelf.choose(document { silent }) {} }
        silent.isRead.untilReached()
        val document = document {
            // This one's copy has been begun.
            assertEquals(2, next().size)
            runBlocking { stuck.cancelOnce(silent.isRead) }
            DEMO_FILE.inputStream()
        }
        shelf.choose(document) {}.close()
        assertTrue(shelf.hasChosen)
        assertEquals(emptyList(), next())
    }

    /** Zeros, then an error. */
    private class Failing(private var after: Int) : InputStream() {
        override fun read(): Int = if (after-- > 0) 0 else throw IOException("the card was pulled out")
    }
}
