package dev.sotto.sample

import android.os.CancellationSignal
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext
import java.io.ByteArrayOutputStream
import java.io.Closeable
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import kotlin.coroutines.resumeWithException

/** A file of another app's. It may lie in the cloud: whatever is asked of it can take as long as that app likes, or for ever. */
class Document(private val measure: (CancellationSignal) -> Long?, private val open: (CancellationSignal) -> InputStream) {
    /** Its length in bytes, where that is known. */
    suspend fun size(): Long? = waiting(measure)

    /** Hands its bytes to [take], piece by piece. To cancel this closes it. */
    suspend fun read(take: (piece: ByteArray, count: Int) -> Unit) = waiting(open).use { input ->
        val piece = ByteArray(1 shl 20)
        while (true) {
            val count = waiting { input.read(piece) }
            if (count < 0) break
            take(piece, count)
        }
    }

    /** The text in it. */
    suspend fun text(): String = withContext(Dispatchers.IO) {
        val bytes = ByteArrayOutputStream()
        read { piece, count ->
            bytes.write(piece, 0, count)
            if (bytes.size() > LONGEST_TEXT) throw TextTooLongException()
        }
        // What is no text is an error here; a String would be made of anything.
        val text = Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString()
        text.removePrefix(BYTE_ORDER_MARK)
    }

    companion object {
        /** In bytes. In English, these are 20 hours of speech. */
        const val LONGEST_TEXT = 1 shl 20
        private const val BYTE_ORDER_MARK = "\uFEFF"
    }
}

/** A text is longer than any note. */
class TextTooLongException : IOException()

/** What [wait] gives. A caller that is cancelled goes on at once; [wait] is told of it, but it need not listen. */
private suspend fun <T> waiting(wait: (CancellationSignal) -> T): T = suspendCancellableCoroutine { caller ->
    val signal = CancellationSignal()
    caller.invokeOnCancellation { signal.cancel() }
    Dispatchers.IO.asExecutor().execute {
        val result = runCatching { wait(signal) }
        result.onSuccess { caller.resume(it) { _, late, _ -> closeQuietly(late) } }.onFailure(caller::resumeWithException)
    }
}

private fun closeQuietly(late: Any?) {
    runCatching { (late as? Closeable)?.close() }
}
