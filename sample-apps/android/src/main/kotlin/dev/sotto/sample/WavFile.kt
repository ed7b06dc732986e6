package dev.sotto.sample

import java.io.Closeable
import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A recording in a file, 16 kHz mono in 16 bits: 2 MB a minute. It is whole after each piece, whenever the app is ended. */
class WavFile(file: File) : Closeable {
    private val output = RandomAccessFile(file, "rw").apply { setLength(0) }

    init {
        writeHeader(0)
    }

    /** Adds the first [count] of [samples]. */
    fun write(samples: ShortArray, count: Int) {
        val bytes = littleEndian(count * Short.SIZE_BYTES) { for (index in 0 until count) putShort(samples[index]) }
        output.seek(output.length())
        output.write(bytes)
        writeHeader(output.length().toInt() - HEADER)
    }

    override fun close() = output.close()

    private fun writeHeader(length: Int) {
        output.seek(0)
        output.write(
            littleEndian(HEADER) {
                put("RIFF".toByteArray()).putInt(HEADER - 8 + length).put("WAVEfmt ".toByteArray())
                putInt(16).putShort(PCM).putShort(1).putInt(RATE).putInt(RATE * Short.SIZE_BYTES)
                putShort(Short.SIZE_BYTES.toShort()).putShort(Short.SIZE_BITS.toShort())
                put("data".toByteArray()).putInt(length)
            },
        )
    }

    private fun littleEndian(size: Int, fill: ByteBuffer.() -> Unit): ByteArray =
        ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).apply(fill).array()

    companion object {
        /** Samples in a second. */
        const val RATE = 16_000
        private const val HEADER = 44
        private const val PCM: Short = 1
    }
}
