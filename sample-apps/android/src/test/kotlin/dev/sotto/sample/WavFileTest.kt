package dev.sotto.sample

import org.junit.Rule
import org.junit.rules.TemporaryFolder
import javax.sound.sampled.AudioSystem
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals

class WavFileTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `a recording is whole after each piece`() {
        val file = folder.newFile("note.wav").apply { writeText("what was there before") }
        WavFile(file).use { wav ->
            assertEquals(0, AudioSystem.getAudioInputStream(file).frameLength)
            wav.write(shortArrayOf(1, -2, 3), 2)
            wav.write(shortArrayOf(256), 1)
            AudioSystem.getAudioInputStream(file).use { sound ->
                assertEquals(16_000f to 1, sound.format.sampleRate to sound.format.channels)
                assertContentEquals(byteArrayOf(1, 0, -2, -1, 0, 1), sound.readAllBytes())
            }
        }
    }
}
