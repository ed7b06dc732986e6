package dev.sotto.sample

import dev.sotto.Event
import dev.sotto.Item
import dev.sotto.Label
import dev.sotto.LocalModel
import dev.sotto.Personal
import dev.sotto.Reason
import dev.sotto.SottoException
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.time.OffsetDateTime

/** A note that a person may want to read again, and why. */
data class ForYou(val note: String, val reason: Reason)

/**
 * What the app learns about the person who uses it: which labels their notes get, and which notes they like to see again. All of it is in
 * one store, which [opened] opens when it is first needed. Each record belongs to a [note], and goes with it.
 */
class Learning(private val now: () -> OffsetDateTime = OffsetDateTime::now, private val opened: suspend () -> Personal) {
    private val opening = Mutex()
    private val turn = Mutex()
    private var store: Personal? = null

    /** A store that could not be opened, because another process has it, is tried again. */
    suspend fun store(): Personal = opening.withLock { store ?: opened().also { store = it } }

    /** One after the other, as the person did it: a note that was opened and then not wanted must not be wanted again. */
    private suspend fun <T> inTurn(block: suspend (Personal) -> T): T = turn.withLock { block(store()) }

    /** How this person would treat a note; `null` where neither the model nor what was corrected says so. */
    suspend fun label(note: KeptNote, model: LocalModel): String? {
        val judged = store().labels().use { it.classify(note.text, model) }
        return judged.label.takeUnless { judged.abstained }
    }

    /** The person says what the label of a note is. */
    suspend fun correct(note: KeptNote, label: String): Personal.Learnt = inTurn { store ->
        store.labels().use { it.learn(note.text, label, source = note.id, time = now()) }
    }

    /** The person wants more notes like this one, or no more of them, or has read it. */
    suspend fun record(note: KeptNote, event: Event): Personal.Learnt = inTurn { store ->
        val items = store.items(COLLECTION)
        val put = items.put(listOf(note.item), now())
        if (put.paused) put else items.record(note.id, event, now())
    }

    /** Of these notes, those that the person probably likes to see again: only for reasons that were learnt. */
    suspend fun forYou(notes: List<KeptNote>): List<ForYou> = inTurn { store ->
        val items = store.items(COLLECTION)
        items.put(notes.map { it.item }, now())
        items.recommend(limit = notes.size, now = now(), exploration = 0.0)
            .filter { it.reason is Reason.Taste || it.reason is Reason.Habit }
            .map { ForYou(it.id, it.reason) }
            .filter { found -> notes.any { it.id == found.note } }
            .take(MOST)
    }

    /** Deletes everything that was learnt from a note. */
    suspend fun forget(note: String): Personal.Deletion = inTurn { store ->
        store.delete(store.records(Personal.Filter(collection = COLLECTION)).filter { it.note == note }.map { it.id })
    }

    private fun Personal.labels() = classifier(COLLECTION, LABELS.map { Label(it) })

    companion object {
        /** The demo model was trained on these. */
        val LABELS = listOf("urgent", "task", "ignorable", "attention")

        private const val COLLECTION = "notes"
        private const val MOST = 2
    }
}

/** The id of the note that a record came from. The source of items and events is their collection. */
val Personal.Record.note: String
    get() = when (val payload = payload) {
        is Personal.Payload.Item -> payload.item.id
        is Personal.Payload.Event -> payload.item
        else -> source
    }

/** What was said, for models that read. */
private val KeptNote.text get() = segments.joinToString(" ") { it.text }

private val KeptNote.item get() = Item(id, text, listOfNotNull(label))

/** What [block] gives; where the library cannot do it, [tell] gets the reason, and there is nothing. */
inline fun <T> orTell(tell: (Trouble) -> Unit, block: () -> T): T? = try {
    block()
} catch (error: SottoException) {
    tell(Trouble.of(error))
    null
}
