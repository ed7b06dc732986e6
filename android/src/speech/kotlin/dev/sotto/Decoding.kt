package dev.sotto

import android.media.AudioFormat
import android.media.MediaCodec
import android.media.MediaExtractor
import android.media.MediaFormat
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException

/**
 * A recording while Android decodes it.
 *
 * @property sampleRate of [samples], which are mono.
 * @property seconds how long it is, where the file says so.
 * @property samples what is decoded, piece by piece, whenever it is asked for; collected once.
 */
internal class Decoded(val sampleRate: Int, val seconds: Double?, val samples: Flow<Samples>)

/** Not in [Audio], where it would be a method with a parameter whose class desktops do not have. */
internal fun decodedByAndroid(file: File): Audio.Source = Audio.Source.Platform { it.setDataSource(file.path) }

/** Decodes the recording that [setSource] names, for as long as [hear] takes. */
internal suspend fun <T> decoding(setSource: (MediaExtractor) -> Unit, hear: suspend (Decoded) -> T): T {
    val extractor = MediaExtractor()
    try {
        val track = readable { extractor.findSound(setSource) }
        val codec = track.decoder()
        try {
            val decoder = Decoder(extractor, codec)
            val first = decoder.next() ?: throw unusable("there is no sound in it")
            val samples = flow {
                var piece: Piece? = first
                while (piece != null) {
                    if (piece.sampleRate != first.sampleRate) throw unusable("its rate changes on the way: convert it")
                    emit(piece.samples)
                    piece = decoder.next()
                }
            }
            return hear(Decoded(first.sampleRate, track.seconds(), samples.flowOn(Dispatchers.IO)))
        } finally {
            codec.release()
        }
    } finally {
        extractor.release()
    }
}

/** Mono samples, and how many of them are a second. */
private class Piece(val sampleRate: Int, val samples: Samples)

/** Pulls sound through a codec. */
private class Decoder(private val extractor: MediaExtractor, private val codec: MediaCodec) {
    private val info = MediaCodec.BufferInfo()

    /** How the codec's samples lie; it says so before the first of them, and whenever that changes. */
    private var layout: PcmLayout? = null
    private var isFed = false
    private var isDone = false

    /** The next samples; `null` at the end. */
    suspend fun next(): Piece? = withContext(Dispatchers.IO) {
        readable {
            while (!isDone) {
                currentCoroutineContext().ensureActive()
                feed()
                drain()?.let { return@withContext it }
            }
        }
        null
    }

    private fun feed() {
        val index = if (isFed) -1 else codec.dequeueInputBuffer(0)
        if (index < 0) return
        val size = codec.getInputBuffer(index)?.let { extractor.readSampleData(it, 0) } ?: -1
        isFed = size < 0
        if (isFed) {
            codec.queueInputBuffer(index, 0, 0, 0, MediaCodec.BUFFER_FLAG_END_OF_STREAM)
        } else {
            codec.queueInputBuffer(index, 0, size, extractor.sampleTime, 0)
            extractor.advance()
        }
    }

    private fun drain(): Piece? {
        val index = codec.dequeueOutputBuffer(info, PATIENCE)
        if (index == MediaCodec.INFO_OUTPUT_FORMAT_CHANGED) layout = null
        if (index < 0) return null
        isDone = info.flags and MediaCodec.BUFFER_FLAG_END_OF_STREAM != 0
        val layout = layout ?: codec.outputFormat.layout().also { layout = it }
        val bytes = codec.getOutputBuffer(index)?.apply { limit(info.offset + info.size).position(info.offset) }
        val mono = bytes?.let(layout::mono)
        codec.releaseOutputBuffer(index, false)
        return mono?.takeIf { it.isNotEmpty() }?.let { Piece(layout.sampleRate, Samples.of(it)) }
    }

    private companion object {
        /** In microseconds: so long a codec is waited for at once. */
        const val PATIENCE = 10_000L
    }
}

/** Chooses the first track with sound. */
private fun MediaExtractor.findSound(setSource: (MediaExtractor) -> Unit): MediaFormat {
    setSource(this)
    val formats = (0 until trackCount).map(::getTrackFormat)
    val index = formats.indexOfFirst { it.mime().startsWith("audio/") }
    if (index < 0) throw unusable("there is no sound in it")
    selectTrack(index)
    return formats[index]
}

private fun MediaFormat.decoder(): MediaCodec {
    val codec = supported { MediaCodec.createDecoderByType(mime()) }
    try {
        supported {
            codec.configure(this, null, null, 0)
            codec.start()
        }
    } catch (error: SottoException) {
        codec.release()
        throw error
    }
    return codec
}

/** Tells of sound that this device has no codec for. */
private inline fun <T> MediaFormat.supported(use: () -> T): T {
    val cause = try {
        return use()
    } catch (error: IOException) {
        error
    } catch (error: IllegalArgumentException) {
        error
    } catch (error: IllegalStateException) {
        error
    }
    throw SottoException.Unsupported("sound as ${mime()} on this device: convert it").apply { initCause(cause) }
}

private fun MediaFormat.mime() = getString(MediaFormat.KEY_MIME).orEmpty()

private fun MediaFormat.seconds() = if (containsKey(MediaFormat.KEY_DURATION)) getLong(MediaFormat.KEY_DURATION) / 1e6 else null

private fun MediaFormat.layout(): PcmLayout {
    val isSaid = containsKey(MediaFormat.KEY_PCM_ENCODING)
    val encoding = if (isSaid) getInteger(MediaFormat.KEY_PCM_ENCODING) else AudioFormat.ENCODING_PCM_16BIT
    return PcmLayout(getInteger(MediaFormat.KEY_SAMPLE_RATE), getInteger(MediaFormat.KEY_CHANNEL_COUNT), encoding)
}

/** Tells of a file that cannot be read, or of a codec that gives up on it. */
private inline fun <T> readable(read: () -> T): T = try {
    read()
} catch (error: IOException) {
    throw unusable("it cannot be read, or this device does not know its format").apply { initCause(error) }
} catch (error: MediaCodec.CodecException) {
    throw unusable("it is damaged").apply { initCause(error) }
}
