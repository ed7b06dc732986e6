package dev.sotto

import com.sun.jna.CallbackThreadInitializer
import dev.sotto.internal.FfiException
import dev.sotto.internal.InternalException
import dev.sotto.internal.uniffiRustFutureContinuationCallbackImpl
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.nio.charset.CharacterCodingException

/** A running request of the native library. It works on threads of its own: the functions here only wait. */
internal class Request<Snapshot : Any, Value>(
    private val handle: AutoCloseable,
    private val next: suspend () -> Snapshot?,
    private val value: suspend () -> Value,
    private val cancel: () -> Unit,
) {
    /** Pulls snapshots until there are no more, then the value. Whatever ends this early stops the native work. */
    suspend fun run(onSnapshot: suspend (Snapshot) -> Unit = {}): Value = try {
        attachThreadsOnce
        while (true) onSnapshot(translated { next() } ?: break)
        translated { value() }
    } finally {
        cancel()
        handle.close()
    }
}

/** On Android, the library's log goes to logcat once Java has loaded it; JNA, which calls it, loads it past Java. */
internal val javaLoad: Unit by lazy {
    if (isAndroid) System.loadLibrary("sotto")
}

internal val isAndroid get() = System.getProperty("java.vm.name") == "Dalvik"

/**
 * The thread of a request tells, for each snapshot, that there is one to pull. It stays attached to the Java machine until it ends:
 * else JNA would attach it anew for each snapshot, which costs more than many a token.
 */
private val attachThreadsOnce: Unit by lazy {
    val untilItsEnd = CallbackThreadInitializer(true, false)
    com.sun.jna.Native.setCallbackThreadInitializer(uniffiRustFutureContinuationCallbackImpl, untilItsEnd)
}

/** Calls the library away from the caller's thread. */
internal suspend fun <T> native(call: () -> T): T = withContext(Dispatchers.Default) { translated(call) }

/** The value of the request that [start] begins, all away from the caller's thread. */
internal suspend fun <Snapshot : Any, Value> valueOf(
    onSnapshot: suspend (Snapshot) -> Unit = {},
    start: () -> Request<Snapshot, Value>,
): Value = withContext(Dispatchers.Default) { translated(start).run(onSnapshot) }

/** Calls the library, and answers with Sotto's own exceptions. No code of an app runs in here: what that throws is its own. */
internal inline fun <T> translated(call: () -> T): T = try {
    call()
} catch (error: FfiException) {
    throw error.toSotto()
} catch (_: InternalException) {
    // Its message is that of a panic, which may hold anything.
    throw SottoException.Internal("the native library panicked")
} catch (_: CharacterCodingException) {
    throw SottoException.InvalidInput("a text has half a character: a surrogate without the other one of its pair")
} catch (error: LinkageError) {
    throw SottoException
        .Unsupported("an app without libsotto.so for this device's processor")
        .apply { initCause(error) }
}
