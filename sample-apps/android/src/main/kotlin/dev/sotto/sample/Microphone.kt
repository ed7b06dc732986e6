package dev.sotto.sample

import android.annotation.SuppressLint
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.MediaRecorder
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.isActive
import java.io.File
import java.io.IOException

/** Another app has the microphone. */
class MicrophoneException : IOException()

/** The microphone's sound, 16 kHz mono, for as long as it is collected; [file] keeps it. */
fun microphone(file: File): Flow<ShortArray> = flow {
    storing { WavFile(file) }.use { kept ->
        val microphone = open()
        try {
            microphone.startRecording()
            val piece = ShortArray(PIECE)
            while (currentCoroutineContext().isActive) {
                val count = microphone.read(piece, 0, piece.size)
                if (count < 0) throw MicrophoneException()
                storing { kept.write(piece, count) }
                emit(piece.copyOf(count))
            }
        } finally {
            microphone.release()
        }
    }
}.flowOn(Dispatchers.IO)

/** Who shows the button has asked whether it may be used. */
@SuppressLint("MissingPermission")
private fun open(): AudioRecord {
    val (channels, numbers) = AudioFormat.CHANNEL_IN_MONO to AudioFormat.ENCODING_PCM_16BIT
    val room = maxOf(AudioRecord.getMinBufferSize(WavFile.RATE, channels, numbers), WavFile.RATE * Short.SIZE_BYTES)
    val microphone = AudioRecord(MediaRecorder.AudioSource.VOICE_RECOGNITION, WavFile.RATE, channels, numbers, room)
    if (microphone.state == AudioRecord.STATE_INITIALIZED) return microphone
    microphone.release()
    throw MicrophoneException()
}

/** Samples that are read at once, 100 ms; the buffer has room for a second. */
private const val PIECE = WavFile.RATE / 10
