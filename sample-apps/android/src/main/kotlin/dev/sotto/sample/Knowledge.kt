package dev.sotto.sample

import dev.sotto.Personal
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.io.OutputStream

/** All that the app has learnt, as its screen shows it. */
data class KnowledgeState(
    val records: List<Personal.Record> = emptyList(),
    val isPaused: Boolean = false,
    /** What had to go with the records that were deleted last: classifiers and adapters that were learnt from them. */
    val deleted: Personal.Deletion? = null,
    val trouble: Trouble? = null,
)

/** Shows a person what was learnt about them, and lets them delete, pause and take it along. */
class Knowledge(private val scope: CoroutineScope, private val learning: Learning, private val onChange: suspend () -> Unit) {
    private val current = MutableStateFlow(KnowledgeState())

    val state: StateFlow<KnowledgeState> = current.asStateFlow()

    /** Reads the store again. */
    fun refresh() = work {}

    fun delete(record: Personal.Record) = work { deleted { delete(listOf(record.id)) } }

    /** Deletes everything that was learnt from a note. */
    fun forget(note: String) = work { deleted { learning.forget(note) } }

    fun deleteAll() = work { deleted { deleteAll() } }

    fun pause(isPaused: Boolean) = work { setPaused(isPaused) }

    /** Writes everything as JSON to where the person wants it. */
    fun export(folder: File, target: () -> OutputStream) = work {
        val copy = File(folder, "sotto.json")
        withContext(Dispatchers.IO) {
            copy.delete()
            try {
                export(copy)
                target().use { output -> copy.inputStream().use { it.copyTo(output) } }
            } finally {
                copy.delete()
            }
        }
    }

    fun dismiss() = current.update { it.copy(trouble = null, deleted = null) }

    private suspend fun Personal.deleted(block: suspend Personal.() -> Personal.Deletion) {
        val deletion = block()
        current.update { it.copy(deleted = deletion) }
    }

    private fun work(block: suspend Personal.() -> Unit) = scope.launch {
        val trouble = troubleOf {
            val store = learning.store()
            store.block()
            val (records, isPaused) = store.records() to store.isPaused()
            current.update { it.copy(records = records, isPaused = isPaused) }
            onChange()
        }
        current.update { it.copy(trouble = trouble) }
    }

    /** What went wrong: the store's troubles, and those of the file that everything is exported to. */
    private suspend fun troubleOf(block: suspend () -> Unit): Trouble? = try {
        block()
        null
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (error: Exception) {
        Trouble.of(error)
    }
}
