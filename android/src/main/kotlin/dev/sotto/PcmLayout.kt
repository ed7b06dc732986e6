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
        val (size, number) = when (encoding) {
            AudioFormat.ENCODING_PCM_8BIT -> 1 to { at: Int -> (numbers.get(at).toInt() and 0xff) / 128f - 1f }
            AudioFormat.ENCODING_PCM_16BIT -> 2 to { at: Int -> numbers.getShort(at) / 32_768f }
            AudioFormat.ENCODING_PCM_FLOAT -> 4 to { at: Int -> numbers.getFloat(at) }
            else -> throw unusable("this device decodes it into samples of an unknown kind ($encoding)")
        }
        val frame = size * channels
        return FloatArray(numbers.remaining() / frame) { at ->
            var sum = 0f
            repeat(channels) { sum += number(at * frame + it * size) }
            sum / channels
        }
    }
}

internal fun unusable(why: String) = SottoException.InvalidInput("the recording cannot be used: $why")
