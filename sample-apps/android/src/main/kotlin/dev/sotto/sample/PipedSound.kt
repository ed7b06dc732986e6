package dev.sotto.sample

import android.os.ParcelFileDescriptor
import android.os.ParcelFileDescriptor.AutoCloseOutputStream
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.seconds

/**
 * A microphone's sound for a recognizer in another app, which reads it from a pipe. What is said before the recognizer has a new pipe waits.
 * Its functions are called on the thread of [scope].
 */
class PipedSound(
    private val scope: CoroutineScope,
    private val microphone: Flow<ShortArray>,
    private val onFailure: (Exception) -> Unit,
) {
    private val pieces = Channel<ShortArray>(Channel.UNLIMITED)
    private val samples = AtomicLong()
    private val recording = scope.launch { record() }
    private var writing: Job? = null
    private var pipe: ParcelFileDescriptor? = null

    /** How much a recognizer was given. */
    val seconds get() = samples.get() / WavFile.RATE.toDouble()

    /** A new pipe, to read from. */
    fun open(): ParcelFileDescriptor {
        val (read, write) = ParcelFileDescriptor.createPipe()
        pipe = read
        val output = AutoCloseOutputStream(write)
        writing = scope.launch(Dispatchers.IO) { write(output) }.apply { invokeOnCompletion { output.close() } }
        return read
    }

    /** Closes the pipe: nobody reads it any more. What is recorded waits for the next one. */
    fun pause() {
        writing?.cancel()
        pipe?.close()
        pipe = null
    }

    /** Ends the recording, and waits until all of it was read; one who has ceased to read is not waited for. */
    suspend fun finish() {
        recording.cancelAndJoin()
        withTimeoutOrNull(PATIENCE) { writing?.join() }
        pause()
    }

    fun cancel() {
        recording.cancel()
        pause()
    }

    private suspend fun record() = try {
        microphone.collect(pieces::send)
    } catch (error: CancellationException) {
        throw error
    } catch (error: Exception) {
        onFailure(error)
    } finally {
        pieces.close()
    }

    private suspend fun write(output: OutputStream) = try {
        for (piece in pieces) {
            samples.addAndGet(piece.size.toLong())
            output.write(piece.toBytes())
        }
    } catch (_: IOException) {
        // The recognizer has heard enough.
    }

    private fun ShortArray.toBytes(): ByteArray {
        val bytes = ByteBuffer.allocate(size * Short.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asShortBuffer().put(this)
        return bytes.array()
    }

    private companion object {
        val PATIENCE = 1.seconds
    }
}
