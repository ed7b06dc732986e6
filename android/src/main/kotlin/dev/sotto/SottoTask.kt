package dev.sotto

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Work that runs once: collect its [snapshots] while it runs, [await] its value, or do both.
 *
 * ```
 * val answer = chat.stream("Hello")
 * answer.snapshots.collect(::print)
 * val reply = answer.await()                          // of the same run: nothing is asked again
 * ```
 *
 * It begins when its snapshots are collected or its value is awaited. Cancelling that coroutine, or leaving that
 * `collect`, stops the native work. To do the work again, make a new task.
 */
public open class SottoTask<out Snapshot : Any, out Value> internal constructor(
    private val work: suspend (onSnapshot: suspend (Snapshot) -> Unit) -> Value,
) {
    private val hasBegun = AtomicBoolean()
    private val outcome = CompletableDeferred<Value>()

    /**
     * What arrives while the work runs, each as soon as it is there. A slow collector loses nothing; use `conflate()` to
     * get only the latest.
     *
     * Collecting it begins the work. A task that has begun already throws [IllegalStateException].
     */
    public val snapshots: Flow<Snapshot> =
        channelFlow<Snapshot> {
            check(begins()) { "a task runs once, and this one has begun: make a new one" }
            runOnce { send(it) }
        }.buffer(0).flowOn(Dispatchers.Default)

    /**
     * The value at the end of the work. It begins the work if nothing has, and can be called any number of times.
     *
     * Work that was stopped before its end has no value: this then throws [SottoException.Cancelled].
     */
    public suspend fun await(): Value = withContext(Dispatchers.Default) { if (begins()) runOnce {} else outcome.await() }

    private fun begins() = hasBegun.compareAndSet(false, true)

    private suspend fun runOnce(onSnapshot: suspend (Snapshot) -> Unit): Value = try {
        work(onSnapshot).also(outcome::complete)
    } catch (error: Throwable) {
        // Who awaits the value elsewhere was not cancelled.
        outcome.completeExceptionally(if (error is CancellationException) SottoException.Cancelled() else error)
        throw error
    }
}

/** A task for the request that [start] begins. */
internal fun <Snapshot : Any, Value> taskOf(start: () -> Request<Snapshot, Value>): SottoTask<Snapshot, Value> =
    SottoTask { onSnapshot -> translated(start).run(onSnapshot) }
