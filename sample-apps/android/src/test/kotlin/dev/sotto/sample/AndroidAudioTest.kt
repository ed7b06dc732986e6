package dev.sotto.sample

import android.media.MediaFormat
import android.os.ParcelFileDescriptor
import dev.sotto.Audio
import dev.sotto.ModelFile
import dev.sotto.Samples
import dev.sotto.SottoException
import dev.sotto.Speech
import dev.sotto.TranscriptPart
import dev.sotto.descriptor
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowMediaCodec
import org.robolectric.shadows.ShadowMediaExtractor
import org.robolectric.shadows.util.DataSource
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** What the SDK has for Android alone, on Android's own classes: recordings that the platform decodes, here with a fake codec. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class AndroidAudioTest {
    @get:Rule
    val folder = TemporaryFolder()

    private fun withSpeech(use: suspend (Speech, ShortArray) -> Unit) {
        val real = realModels("recordings that Android decodes") ?: return
        val samples = recording(real.resolve("librivox-0930.wav"))
        runBlocking { Speech.load(ModelFile.path(real.resolve(SPEECH_MODEL))).use { use(it, samples) } }
    }

    private fun opened(file: File) = ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)

    /** A file with a track of this kind, of which the codec makes [pcm]. */
    private fun <T> withTrack(mime: String, pcm: ByteArray, channels: Int, use: (Audio) -> T): T {
        ShadowMediaCodec.addDecoder(mime, ShadowMediaCodec.CodecConfig(4_000, 4_000) { input, output -> output.put(input) })
        val format = MediaFormat.createAudioFormat(mime, 16_000, channels)
        format.setLong(MediaFormat.KEY_DURATION, 3_000_000)
        return opened(folder.newFile()).use { document ->
            ShadowMediaExtractor.addTrack(DataSource.toDataSource(document.fileDescriptor), format, pcm)
            use(Audio.descriptor(document))
        }
    }

    private fun bytes(samples: Iterable<Short>): ByteArray {
        val all = samples.toList()
        val bytes = ByteBuffer.allocate(2 * all.size).order(ByteOrder.nativeOrder())
        all.forEach(bytes::putShort)
        return bytes.array()
    }

    @Test
    fun `what Android decodes is transcribed as its samples are`() = withSpeech { speech, samples ->
        val whole = speech.transcribe(Audio.samples(Samples.of(samples))).await()
        val stereo = bytes(samples.flatMap { listOf(it, it) })
        withTrack("audio/mp4a-latm", stereo, channels = 2) { audio ->
            runBlocking {
                val parts: List<TranscriptPart> = speech.transcribe(audio).snapshots.toList()
                assertEquals(whole.segments, parts.flatMap { it.confirmed })
                assertEquals(setOf<Double?>(3.0), parts.map { it.audioSeconds }.toSet())
            }
        }
    }

    @Test
    fun `what cannot be decoded says why`() = withSpeech { speech, _ ->
        suspend fun refused(audio: Audio) = assertFailsWith<SottoException> { speech.transcribe(audio).await() }.message!!
        opened(folder.newFile()).use { assertEquals(NO_SOUND, refused(Audio.descriptor(it))) }
        withTrack("video/avc", ByteArray(9), channels = 1) { runBlocking { assertEquals(NO_SOUND, refused(it)) } }
        withTrack("audio/mp4a-latm", ByteArray(0), channels = 1) { runBlocking { assertEquals(NO_SOUND, refused(it)) } }
    }

    private companion object {
        const val NO_SOUND = "the recording cannot be used: there is no sound in it"
    }
}
