package dev.sotto

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.isActive

/** Whether a [SharedModel] is in memory. */
public sealed interface ModelState {
    /** Nobody has asked for it yet. */
    public data object NotLoaded : ModelState

    /**
     * It is being loaded.
     *
     * @property progress how far its packed copy is; `null` where none is being made.
     */
    @ByValue
    public class Loading(public val progress: Progress?) : ModelState

    /**
     * It can be used.
     *
     * @property model the model. [SharedModel] closes it.
     */
    @ByValue
    public class Ready(public val model: LocalModel) : ModelState

    /**
     * It could not be loaded. The next [SharedModel.get] tries again.
     *
     * @property error why.
     */
    @ByValue
    public class Failed(public val error: Exception) : ModelState

    /** Its memory was given back. The next [SharedModel.get] loads it again. */
    public data object Trimmed : ModelState
}

/**
 * A model that is loaded when it is first needed, once for all who need it, and whose [state] a screen can show.
 *
 * ```
 * val models = SharedModel { onProgress -> LocalModel.load(context, file, onProgress = onProgress) }
 * models.get().summarize(note)                        // loads it, unless it is there
 * models.trim()                                       // in onTrimMemory
 * ```
 *
 * Safe to use from any thread.
 *
 * @param load loads the model.
 */
public class SharedModel(private val load: suspend (onProgress: suspend (Progress) -> Unit) -> LocalModel) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val current = MutableStateFlow<ModelState>(ModelState.NotLoaded)
    private val lock = Any()
    private var loading: Deferred<LocalModel>? = null

    /** Whether the model is in memory, and how far it is. */
    public val state: StateFlow<ModelState> = current.asStateFlow()

    /**
     * The model; it is loaded if it is not there. Whoever is cancelled while waiting does not stop the load, which others
     * may wait for. If [trim] or [close] stops it, this throws [SottoException.Cancelled].
     */
    public suspend fun get(): LocalModel {
        val asked = synchronized(lock) { loading ?: begin() }
        return try {
            asked.await()
        } catch (error: CancellationException) {
            if (asked.isCancelled) throw SottoException.Cancelled()
            throw error
        }
    }

    /**
     * Gives the model's memory back, or stops loading it. Running work continues to its end, and the memory is freed then. The next
     * [get] loads the model again.
     */
    public fun trim(): Unit = synchronized(lock) {
        val trimmed = loading ?: return
        loading = null
        trimmed.cancel()
        (current.value as? ModelState.Ready)?.model?.close()
        current.value = ModelState.Trimmed
    }

    /** Like [trim], for good. */
    override fun close() {
        trim()
        scope.cancel()
    }

    private fun begin(): Deferred<LocalModel> {
        check(scope.isActive) { "the shared model is closed" }
        current.value = ModelState.Loading(null)
        lateinit var begun: Deferred<LocalModel>
        begun = scope.async(start = CoroutineStart.LAZY) {
            try {
                val model = load { progress -> show(begun, ModelState.Loading(progress)) }
                model.also { if (!show(begun, ModelState.Ready(it))) it.close() }
            } catch (error: Exception) {
                fail(begun, if (error is CancellationException) SottoException.Cancelled() else error)
                throw error
            }
        }
        loading = begun
        begun.start()
        return begun
    }

    /** Shows a state of a load, unless it was stopped. */
    private fun show(load: Deferred<LocalModel>, state: ModelState): Boolean = synchronized(lock) {
        (load === loading).also { if (it) current.value = state }
    }

    private fun fail(load: Deferred<LocalModel>, error: Exception): Unit = synchronized(lock) {
        if (show(load, ModelState.Failed(error))) loading = null
    }
}
