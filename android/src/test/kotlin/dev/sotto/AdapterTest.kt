package dev.sotto

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.io.path.createTempFile
import kotlin.test.AfterTest
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

class AdapterTest {
    private val file: File = createTempFile("adapter", ".gguf").toFile().apply { writeBytes(adapter()) }
    private val brief = ChatOptions(maxTokens = 16, sampling = Sampling.GREEDY)

    @AfterTest
    fun clean() {
        file.delete()
    }

    /** A LoRA of rank 1 for the demo model, 256 wide: the output of one layer's attention. */
    private fun adapter(): ByteArray {
        val out = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN)
        fun text(text: String) = out.putLong(text.length.toLong()).put(text.toByteArray())
        out.put("GGUF".toByteArray()).putInt(3).putLong(2).putLong(3)
        for ((key, value) in mapOf("general.type" to "adapter", "general.architecture" to "llama", "adapter.type" to "lora")) {
            text(key)
            out.putInt(8)
            text(value)
        }
        val halves = mapOf("lora_a" to listOf(256L, 1L), "lora_b" to listOf(1L, 256L))
        for ((index, half) in halves.entries.withIndex()) {
            text("blk.0.attn_output.weight.${half.key}")
            out.putInt(2)
            half.value.forEach { out.putLong(it) }
            out.putInt(0).putLong(index * 1024L)
        }
        out.position((out.position() + 31) / 32 * 32)
        repeat(512) { out.putFloat((it * 37 % 101) / 50f - 1f) }
        return out.array().copyOf(out.position())
    }

    @Test
    fun `only what is asked of the adapted model is changed`() = test {
        demo().use { model ->
            val adapter = model.loadAdapter(ModelFile.path(file))
            assertEquals(1, adapter.rank)
            assertTrue(adapter.privateBytes > 1000)
            suspend fun answer(model: LocalModel) = model.session().use { it.respond("Hello", brief).text }
            val plain = answer(model)
            model.withAdapters(listOf(ScaledAdapter(adapter))).use { adapted -> assertNotEquals(plain, answer(adapted)) }
            model.withAdapters(listOf(ScaledAdapter(adapter, 0f))).use { assertEquals(plain, answer(it)) }
            assertEquals(plain, answer(model))
            adapter.close()
            assertFailsWith<IllegalStateException> { model.withAdapters(listOf(ScaledAdapter(adapter))) }
        }
    }

    @Test
    fun `a conversation changes its adapters`() = test {
        demo().use { model ->
            val adapters = listOf(ScaledAdapter(model.loadAdapter(ModelFile.path(file)), 0.5f))
            model.session().use { session ->
                session.respond("Hello", brief)
                session.withAdapters(adapters).use { assertEquals(0, it.respond("And now?", brief).metrics.reusedTokens) }
            }
        }
    }

    @Test
    fun `what is none is refused, and inspected`() = test {
        demo().use { model ->
            val refused = assertFailsWith<SottoException.Unsupported> { model.loadAdapter(ModelFile.path(DEMO_FILE)) }
            assertContains(refused.what, "adapter")
            demo().use { other ->
                val adapter = other.loadAdapter(ModelFile.path(file))
                assertFailsWith<SottoException.InvalidInput> { model.withAdapters(listOf(ScaledAdapter(adapter))) }
            }
        }
        val report = ModelFile.path(file).inspect()
        assertEquals(FileKind.ADAPTER to 1, report.kind to report.adapterRank)
    }
}
