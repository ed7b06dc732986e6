package dev.sotto

import dev.sotto.internal.FfiException
import dev.sotto.internal.InternalException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.InternalSerializationApi
import kotlinx.serialization.KSerializer
import kotlinx.serialization.descriptors.SerialKind
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.buildSerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.nio.charset.CharacterCodingException
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
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
            assertFailsWith<SottoException.InvalidInput> { model.inspect(contextLength = 0) }
        }
        assertFailsWith<SottoException.InvalidInput> { ChatOptions(maxTokens = 0) }
        assertFailsWith<SottoException.InvalidInput> { LoadOptions(threads = -1) }
        assertFailsWith<SottoException.InvalidInput> { LoadOptions(contextLength = 0) }
        assertFailsWith<SottoException.InvalidInput> { Sampling(topK = 0) }
        assertFailsWith<SottoException.InvalidInput> { Sampling(repetitionWindow = -1) }
    }

    @Test
    fun `half a character is an error like any other`() = test {
        val half = "Buy milk. \uD83C\uDF89".dropLast(1)
        val errors = mutableListOf<SottoException.InvalidInput>()

        suspend fun refused(call: suspend () -> Any?) {
            errors += assertFailsWith<SottoException.InvalidInput> { call() }
        }
        load(DEMO_FILE).use { model ->
            refused { VoiceNote.text(half) }
            refused { VoiceNote.transcript(half) }
            refused { VoiceNote.segments(listOf(Segment(1, "Buy milk.", speaker = half))) }
            model.noteSession().use { session -> refused { session.append(Segment(1, half)) } }
            refused { model.summarize(VoiceNote(listOf(Segment(1, half)))).snapshots.toList() }
            refused { model.classify(half, LABELS) }
            refused { model.classifyAll(listOf("Buy milk.", half), LABELS).snapshots.toList() }
            refused { model.classify("Buy milk.", listOf("urgent", half)) }
            refused { model.extract(half, TasksTest.Priority.serializer()) }
            refused { model.session(half) }
            refused { model.resume(null, listOf(ChatTurn("Hello?", half))) }
            model.session().use { session ->
                refused { session.respond(half) }
                refused { session.stream(half).snapshots.toList() }
                refused { session.respond("Hello", ChatOptions(format = AnswerFormat.choice(listOf(half)))) }
                assertTrue(session.respond("Hello", ChatOptions(maxTokens = 2)).metrics.prefillTokens > 0)
            }
            val future = SottoFutures.classify(model, half, LABELS)
            refused { runCatching { future.get(60, TimeUnit.SECONDS) }.exceptionOrNull()?.cause?.let { throw it } }
        }
        refused { load(File(half)) }
        for (error in errors) assertFalse("milk" in error.toString() || error.cause != null)
    }

    /** What fits a type's schema, of which the type wants nothing to know. */
    private class Refusing<T>(private val answer: String, private val read: (Decoder) -> T) : KSerializer<T> {
        @OptIn(ExperimentalSerializationApi::class, InternalSerializationApi::class)
        override val descriptor = buildSerialDescriptor("Refusing", SerialKind.ENUM) {
            element(answer, buildSerialDescriptor("Refusing.$answer", StructureKind.OBJECT))
        }

        override fun deserialize(decoder: Decoder) = read(decoder)

        override fun serialize(encoder: Encoder, value: T) = error("nobody asks for that")
    }

    @Test
    fun `a type that refuses its value quotes nothing of the text`() = test {
        val refusing = listOf(
            // More than a Float can hold.
            Refusing("9e99") { it.decodeFloat() },
            Refusing("secret") { it.decodeInt() },
            Refusing("secret") { throw IllegalArgumentException("not ${it.decodeString()}") },
        )
        load(DEMO_FILE).use { model ->
            for (type in refusing) {
                val refused = assertFailsWith<SottoException.InvalidInput> { model.extract("Hello", type) }
                assertContains(refused.what, "the serializer of Refusing")
                assertNull(refused.cause)
                assertFalse("secret" in refused.toString() || "9e99" in refused.toString())
            }
        }
    }

    @Test
    fun `what an app's own code throws is not ours`() = test {
        load(DEMO_FILE).use { model ->
            for (own in listOf(NoSuchMethodError("mine"), CharacterCodingException())) {
                val thrown = runCatching {
                    model.session().use { it.stream("Hello").snapshots.collect { throw own } }
                }.exceptionOrNull()
                assertEquals(own.javaClass, thrown?.javaClass)
                val snapshots = model.summarize(VoiceNote.text(NOTE)).snapshots
                val collected = runCatching { withContext(Dispatchers.Default) { snapshots.collect { throw own } } }
                assertEquals(own.javaClass, collected.exceptionOrNull()?.javaClass)
            }
        }
    }

    @Test
    fun `each error arrives with its fields`() {
        val memory = assertIs<SottoException.OutOfMemory>(FfiException.OutOfMemory(5u, 3u).toSotto())
        assertEquals(5L to 3L, memory.needed to memory.available)
        assertIs<SottoException.Cancelled>(FfiException.Cancelled().toSotto())
        assertEquals("reason", assertIs<SottoException.Internal>(FfiException.Internal("reason").toSotto()).why)
        val storage = assertIs<SottoException.Storage>(FfiException.Storage("folder", "full").toSotto())
        assertEquals("cannot write folder: full", storage.message)
        val invalid = assertIs<SottoException.StoreInvalid>(FfiException.StoreInvalid("file", "empty").toSotto())
        assertEquals("file" to "empty", invalid.path to invalid.why)
        assertEquals("file", assertIs<SottoException.StoreInUse>(FfiException.StoreInUse("file").toSotto()).path)
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
