package dev.sotto

import android.media.MediaExtractor
import dev.sotto.internal.FfiAudio
import dev.sotto.internal.FfiPcmFormat
import dev.sotto.internal.FfiSamples
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * How samples lie in memory.
 *
 * @property sampleRate samples of each channel in a second, 8,000 to 192,000.
 * @property channels how many channels lie interleaved: 1 for mono, 2 for stereo.
 * @throws SottoException.InvalidInput for a negative number, or more than 65,535 channels.
 */
@ByValue
public class PcmFormat @JvmOverloads constructor(public val sampleRate: Int = 16_000, public val channels: Int = 1) {
    init {
        val isFormat = sampleRate >= 0 && channels in 0..UShort.MAX_VALUE.toInt()
        requireInput(isFormat, "$sampleRate Hz in $channels channels is no format of samples")
    }

    internal fun toFfi() = FfiPcmFormat(sampleRate.toUInt(), channels.toUShort())
}

/** Interleaved samples. */
public class Samples private constructor(internal val ffi: FfiSamples) {
    /** How to give samples. They are copied: the array can be used again. */
    public companion object {
        /** Samples from -1 to 1: the first [count] of an array. */
        @JvmStatic
        @JvmOverloads
        public fun of(samples: FloatArray, count: Int = samples.size): Samples =
            Samples(FfiSamples.F32(bytes(count * Float.SIZE_BYTES) { asFloatBuffer().put(samples, 0, count) }))

        /** 16-bit samples, as `AudioRecord` gives them: the first [count] of an array. */
        @JvmStatic
        @JvmOverloads
        public fun of(samples: ShortArray, count: Int = samples.size): Samples =
            Samples(FfiSamples.I16(bytes(count * Short.SIZE_BYTES) { asShortBuffer().put(samples, 0, count) }))

        private fun bytes(size: Int, fill: ByteBuffer.() -> Unit): ByteArray =
            ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).apply(fill).array()
    }
}

/** A recording. */
public class Audio internal constructor(internal val source: Source) {
    /** What makes samples of it. */
    internal sealed interface Source {
        /** The library. */
        class Library(val ffi: FfiAudio) : Source

        /** Android, of the recording that [setSource] names. */
        class Platform(val setSource: (MediaExtractor) -> Unit) : Source
    }

    /** How to name a recording. */
    public companion object {
        /** A recording from samples in memory. Channels are mixed into one; samples beyond ±1 are clipped. */
        @JvmStatic
        @JvmOverloads
        public fun samples(samples: Samples, format: PcmFormat = PcmFormat()): Audio =
            Audio(Source.Library(FfiAudio.Samples(samples.ffi, format.toFfi())))

        /**
         * A file. Android decodes what it can play, of which it keeps no more in memory than it needs; on a desktop, the library reads
         * WAV, FLAC, MP3, M4A with AAC or ALAC, and OGG with Vorbis.
         */
        @JvmStatic
        public fun file(file: File): Audio =
            Audio(if (isAndroid) decodedByAndroid(file) else Source.Library(FfiAudio.File(file.path)))
    }
}
