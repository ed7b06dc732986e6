package dev.sotto

import java.io.File
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** With a small random model; what it computes is tested with the library. */
class EmbedderTest {
    private val folder = File("../core/embedding/tests/golden/small")

    private suspend fun small() = Embedder.load(ModelFile.path(folder))

    @Test
    fun `texts become vectors`() = test {
        small().use { embedder ->
            val texts = listOf("ab c", "the bad cab")
            val all = embedder.embedAll(texts)
            for ((text, embedding) in texts.zip(all)) {
                assertContentEquals(embedder.embed(text).values, embedding.values)
                assertEquals(embedder.dimensions, embedding.values.size)
                assertEquals(1f, embedding.similarity(embedding), 1e-5f)
            }
            assertEquals(emptyList(), embedder.embedAll(emptyList()))
            val long = embedder.embed("c ".repeat(100_000))
            assertEquals(embedder.maxTokens to true, long.tokens to long.truncated)
            demo().use { model ->
                val other = model.embed("ab c")
                assertEquals(1f, other.similarity(other), 1e-5f)
                assertFailsWith<SottoException.InvalidInput> { other.similarity(long) }
            }
        }
    }

    @Test
    fun `memory is known before`() = test {
        val before = Embedder.memoryOf(ModelFile.path(folder))
        small().use { assertEquals(before.weights to before.pass, it.memory.weights to it.memory.pass) }
        assertTrue(before.weights > 0)
    }

    @Test
    fun `what is no model or no text says so`() = test {
        assertFailsWith<SottoException.ModelNotFound> { Embedder.load(ModelFile.path(File("/nowhere"))) }
        assertFailsWith<SottoException.InvalidInput> { Embedder.load(ModelFile.path(folder), threads = 0) }
        small().use { embedder ->
            assertFailsWith<SottoException.InvalidInput> { embedder.embed(" ") }
            assertFailsWith<SottoException.InvalidInput> { embedder.embedAll(listOf("c", "")) }
        }
        val closed = small().also { it.close() }
        assertFailsWith<IllegalStateException> { closed.embed("c") }
    }
}
