package dev.sotto.sample

import dev.sotto.Speech
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.launch

/**
 * The speech model that a person has chosen, if there is one. Its functions are called on the thread of [scope], whose jobs must not
 * end each other by failing; [show] is told how far a chosen file is, and what is wrong with it.
 */
class SpeechModels(
    private val scope: CoroutineScope,
    private val shelf: ModelShelf<Speech>,
    private val show: (ModelState, Trouble?) -> Unit,
) {
    private var loading: Deferred<Speech>? = null

    val isInstalled get() = shelf.hasChosen

    /** The model, which is loaded once. One that fails is tried again the next time: there may be more memory then. */
    suspend fun speech(): Speech {
        val load = loading ?: scope.async { shelf.chosen() }.also { loading = it }
        return try {
            load.await()
        } catch (error: Exception) {
            if (loading === load) loading = null
            throw error
        }
    }

    /** Uses the model in [source]; if it is none, the one before stays. */
    fun choose(name: String, source: Document) {
        show(ModelState.Loading(name), null)
        scope.launch {
            try {
                val chosen = shelf.choose(source) { show(ModelState.Loading(name, it), null) }
                leave()
                loading = scope.async { chosen }
                show(ModelState.Ready(name), null)
            } catch (error: CancellationException) {
                throw error
            } catch (error: Exception) {
                show(ModelState.Missing, Trouble.of(error))
            }
        }
    }

    /** Leaves hearing to the platform. */
    fun forget() {
        leave()
        show(ModelState.Missing, null)
        scope.launch { shelf.forget() }
    }

    private fun leave() {
        val before = loading ?: return
        loading = null
        scope.launch { runCatching { before.await().close() } }
    }
}
