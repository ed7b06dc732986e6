package dev.sotto

import dev.sotto.internal.FfiException
import dev.sotto.internal.InternalException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext

/** A running request of the native library. It works on threads of its own: the functions here only wait. */
internal class Request<Snapshot : Any, Value>(
    private val handle: AutoCloseable,
    private val next: suspend () -> Snapshot?,
    private val value: suspend () -> Value,
    private val cancel: () -> Unit,
) {
    /** Pulls snapshots until there are no more, then the value. Whatever ends this early stops the native work. */
    suspend fun run(onSnapshot: suspend (Snapshot) -> Unit = {}): Value = try {
        while (true) onSnapshot(next() ?: break)
        value()
    } finally {
        cancel()
        handle.close()
    }
}

/** On Android, the library's log goes to logcat once Java has loaded it; JNA, which calls it, loads it past Java. */
internal val javaLoad: Unit by lazy {
    if (System.getProperty("java.vm.name") == "Dalvik") System.loadLibrary("sotto")
}

/** Runs [block] away from the caller's thread, and answers with Sotto's own exceptions. */
internal suspend fun <T> native(block: suspend () -> T): T = withContext(Dispatchers.Default) { translated { block() } }

/** A cold flow of what [block] emits, made away from the collector's thread. */
internal fun <T> nativeFlow(block: suspend (emit: suspend (T) -> Unit) -> Unit): Flow<T> =
    // A collector's own exceptions pass through untouched: only the library throws those that are translated.
    flow<T> { translated { block { emit(it) } } }.flowOn(Dispatchers.Default)

internal inline fun <T> translated(block: () -> T): T = try {
    block()
} catch (error: FfiException) {
    throw error.toSotto()
} catch (_: InternalException) {
    // Its message is that of a panic, which may hold anything.
    throw SottoException.Internal("the native library panicked")
} catch (error: LinkageError) {
    throw SottoException
        .Unsupported("libsotto.so for this device's processor, which the app does not have,")
        .apply { initCause(error) }
}
