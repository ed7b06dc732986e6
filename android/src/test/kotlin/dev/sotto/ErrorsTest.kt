package dev.sotto

import dev.sotto.internal.FfiException
import dev.sotto.internal.InternalException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue

class ErrorsTest {
    private suspend fun load(file: File, options: LoadOptions = LoadOptions()) = LocalModel.load(ModelFile.path(file), options)

    @Test
    fun `a file that is not there`() = test {
        val missing = assertFailsWith<SottoException.ModelNotFound> { load(File("/no/such/model.gguf")) }
        assertEquals("/no/such/model.gguf", missing.path)
        assertFailsWith<SottoException.ModelNotFound> { load(File("/tmp")) }
    }

    @Test
    fun `files that are no models`(@TempDir folder: File) = test {
        val model = DEMO_FILE.readBytes()
        val wrong =
            listOf(ByteArray(0), "not a model".toByteArray(), ByteArray(4096), model.copyOf(8)) +
                listOf(16, 1000, model.size / 2, model.size - 1).map(model::copyOf)
        val file = folder.resolve("wrong.gguf")
        for (bytes in wrong) {
            file.delete()
            file.writeBytes(bytes)
            assertFailsWith<SottoException.ModelInvalid> { load(file) }
        }
        file.writeBytes(model.copyOf().also { it[4] = 99 })
        assertFailsWith<SottoException.Unsupported> { load(file) }
    }

    @Test
    fun `a folder that cannot be written`(@TempDir folder: File) = test {
        val file = folder.resolve("file").apply { writeText("") }
        assertFailsWith<SottoException.Storage> { load(DEMO_FILE, LoadOptions(cacheFolder = file.resolve("models"))) }
    }

    @Test
    fun `too much text, or too much context`() = test {
        assertFailsWith<SottoException.ContextFull> { load(DEMO_FILE, LoadOptions(contextLength = 1_000_000)) }
        load(DEMO_FILE, LoadOptions(contextLength = 64)).use { model ->
            val full = assertFailsWith<SottoException.ContextFull> { model.classify("word ".repeat(100), LABELS) }
            assertTrue(full.limit == 64L && full.needed > 64)
            assertFailsWith<SottoException.ContextFull> { model.session().use { it.respond("word ".repeat(100)) } }
        }
    }

    @Test
    fun `arguments that cannot be used, told without their words`() = test {
        load(DEMO_FILE).use { model ->
            assertFailsWith<SottoException.InvalidInput> { model.summarize(VoiceNote.text("  ")).await() }
            assertFailsWith<SottoException.InvalidInput> { model.classify("", LABELS) }
            val refused =
                assertFailsWith<SottoException.InvalidInput> { model.classify("text", listOf("secret", "secret")) }
            assertFalse("secret" in refused.toString())
            val schema = Json.parseToJsonElement("""{"type": "wish"}""").jsonObject
            assertFailsWith<SottoException.InvalidInput> { model.extract(NOTE, schema) }
            val sampling = Sampling(temperature = Float.NaN)
            assertFailsWith<SottoException.InvalidInput> {
                model.session().use { it.respond("Hi", ChatOptions(4, sampling)) }
            }
        }
        assertFailsWith<IllegalArgumentException> { ChatOptions(maxTokens = 0) }
        assertFailsWith<IllegalArgumentException> { LoadOptions(threads = -1) }
        assertFailsWith<IllegalArgumentException> { LoadOptions(contextLength = 0) }
        assertFailsWith<IllegalArgumentException> { Sampling(topK = 0) }
    }

    @Test
    fun `each error arrives with its fields`() {
        val memory = assertIs<SottoException.OutOfMemory>(FfiException.OutOfMemory(5u, 3u).toSotto())
        assertEquals(5L to 3L, memory.needed to memory.available)
        assertIs<SottoException.Cancelled>(FfiException.Cancelled().toSotto())
        assertEquals("reason", assertIs<SottoException.Internal>(FfiException.Internal("reason").toSotto()).why)
        val storage = assertIs<SottoException.Storage>(FfiException.Storage("folder", "full").toSotto())
        assertEquals("cannot write folder: full", storage.message)
    }

    @Test
    fun `a panic is an error that keeps its words to itself`() {
        val refused = assertFailsWith<SottoException.Internal> { translated { throw InternalException("secret") } }
        assertFalse("secret" in refused.toString())
    }

    /** What the Java machine has loaded once is there for good, so this needs one of its own. */
    @Test
    fun `a device without the library gets an error, not a crash`() {
        val java = ProcessHandle.current().info().command().get()
        val command = listOf(java, "-cp", System.getProperty("java.class.path"), "dev.sotto.WithoutLibraryKt")
        val builder = ProcessBuilder(command).redirectErrorStream(true)
        // Cargo names its folder there.
        builder.environment().remove("LD_LIBRARY_PATH")
        val process = builder.start()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        assertContains(process.inputStream.bufferedReader().readText(), "libsotto.so for this device's processor")
        assertEquals(0, process.exitValue())
    }
}
