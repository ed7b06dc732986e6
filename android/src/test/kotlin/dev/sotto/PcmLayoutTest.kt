package dev.sotto

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertFailsWith

/** What Android's decoders give becomes mono samples. */
class PcmLayoutTest {
    private fun bytes(size: Int, fill: ByteBuffer.() -> Unit): ByteBuffer =
        ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder()).apply(fill).flip() as ByteBuffer

    @Test
    fun `channels become their mean, whatever the numbers are`() {
        val shorts = bytes(8) { listOf(16_384, -16_384, -32_768, -16_384).forEach { putShort(it.toShort()) } }
        assertContentEquals(floatArrayOf(0f, -0.75f), PcmLayout(44_100, 2, PCM_16_BIT).mono(shorts))
        val floats = bytes(12) { listOf(0.5f, 1f, -0.75f).forEach(::putFloat) }
        assertContentEquals(floatArrayOf(0.25f), PcmLayout(48_000, 3, PCM_FLOAT).mono(floats))
        val bytes = bytes(3) { listOf(128, 0, 192).forEach { put(it.toByte()) } }
        assertContentEquals(floatArrayOf(0f, -1f, 0.5f), PcmLayout(8_000, 1, PCM_8_BIT).mono(bytes))
    }

    @Test
    fun `a buffer is read from where its samples begin, and a frame that lacks a channel is left out`() {
        val numbers = bytes(10) { listOf(1, 16_384, 16_384, -8_192, 1).forEach { putShort(it.toShort()) } }
        numbers.position(2)
        assertContentEquals(floatArrayOf(0.5f, -0.124984741f), PcmLayout(16_000, 2, PCM_16_BIT).mono(numbers))
        numbers.limit(8)
        assertContentEquals(floatArrayOf(0.5f), PcmLayout(16_000, 2, PCM_16_BIT).mono(numbers))
    }

    @Test
    fun `numbers of an unknown kind are refused`() {
        assertFailsWith<SottoException.InvalidInput> { PcmLayout(16_000, 1, 13).mono(bytes(2) { putShort(1) }) }
    }

    private companion object {
        /** As in Android's `AudioFormat`, which is not there on a desktop. */
        const val PCM_16_BIT = 2
        const val PCM_8_BIT = 3
        const val PCM_FLOAT = 4
    }
}
