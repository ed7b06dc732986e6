package dev.sotto

import android.media.AudioFormat
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * How decoded samples lie in memory.
 *
 * @property encoding one of [AudioFormat]'s, all of which are interleaved.
 */
internal data class PcmLayout(val sampleRate: Int, val channels: Int, val encoding: Int) {
    /** All whole frames of [bytes], each the mean of its channels, from -1 to 1. */
    fun mono(bytes: ByteBuffer): FloatArray {
        val numbers = bytes.slice().order(ByteOrder.nativeOrder())
        return when (encoding) {
            AudioFormat.ENCODING_PCM_8BIT -> mono(numbers, 1) { (numbers.get(it).toInt() and 0xff) / 128f - 1f }
            AudioFormat.ENCODING_PCM_16BIT -> mono(numbers, 2) { numbers.getShort(it) / 32_768f }
            AudioFormat.ENCODING_PCM_FLOAT -> mono(numbers, 4) { numbers.getFloat(it) }
            else -> throw unusable("this device decodes it into samples of an unknown kind ($encoding)")
        }
    }

    /** Inlined for each encoding, so that no sample is boxed. [number] reads a sample of [size] bytes from its offset. */
    private inline fun mono(numbers: ByteBuffer, size: Int, number: (Int) -> Float): FloatArray {
        val frame = size * channels
        return FloatArray(numbers.remaining() / frame) { at ->
            var sum = 0f
            for (channel in 0 until channels) sum += number(at * frame + channel * size)
            sum / channels
        }
    }
}

internal fun unusable(why: String) = SottoException.InvalidInput("the recording cannot be used: $why")
