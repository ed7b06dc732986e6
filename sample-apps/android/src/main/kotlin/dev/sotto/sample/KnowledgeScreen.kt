package dev.sotto.sample

import android.text.format.DateUtils
import android.view.View
import android.view.ViewGroup
import android.widget.Switch
import android.widget.TextView
import dev.sotto.Event
import dev.sotto.Personal

/** The views of what was learnt: shows a [KnowledgeState], and decides nothing. [titleOf] names the note with an id. */
class KnowledgeScreen(
    root: View,
    private val titleOf: (String) -> String?,
    pause: (Boolean) -> Unit,
    private val open: (record: Personal.Record, words: String) -> Unit,
    dismiss: () -> Unit,
) {
    private val context = root.context
    private val message = root.findViewById<TextView>(R.id.message).apply { setOnClickListener { dismiss() } }
    private val learn = root.findViewById<Switch>(R.id.learn).apply { setOnClickListener { pause(!isChecked) } }
    private val groups = root.findViewById<ViewGroup>(R.id.groups)
    private val empty = root.findViewById<View>(R.id.empty)

    fun render(state: KnowledgeState) {
        message.showUnlessEmpty(state.trouble?.let { context.getString(it.message) } ?: state.deleted?.let(::wordsOf).orEmpty())
        learn.isChecked = !state.isPaused
        empty.isVisible = state.records.isEmpty()
        val kinds = state.records.groupBy { headingOf(it.payload) }.toList().sortedBy { HEADINGS.indexOf(it.first) }
        groups.fill(kinds, R.layout.knowledge_group) { (heading, records) ->
            findViewById<TextView>(R.id.heading).setText(heading)
            findViewById<ViewGroup>(R.id.records).fill(records, R.layout.record) { show(it) }
        }
    }

    private fun View.show(record: Personal.Record) {
        val (text, detail) = wordsOf(record.payload) to detailOf(record)
        findViewById<TextView>(R.id.text).text = text
        findViewById<TextView>(R.id.detail).text = detail
        setOnClickListener { open(record, "$text\n\n$detail") }
    }

    private fun headingOf(payload: Personal.Payload) = when (payload) {
        is Personal.Payload.Example -> R.string.knowledge_labels
        is Personal.Payload.Item -> R.string.knowledge_notes
        is Personal.Payload.Event -> R.string.knowledge_events
        is Personal.Payload.Text -> R.string.knowledge_texts
        is Personal.Payload.Training -> R.string.knowledge_trainings
        is Personal.Payload.Setting -> R.string.knowledge_settings
    }

    private fun wordsOf(payload: Personal.Payload): String = when (payload) {
        is Personal.Payload.Example ->
            context.getString(R.string.example, context.labelWords(payload.label), payload.text)

        is Personal.Payload.Item -> payload.item.text

        is Personal.Payload.Event -> context.getString(eventWords(payload.event), titled(payload.item))

        is Personal.Payload.Text -> payload.text

        is Personal.Payload.Training ->
            context.getString(if (payload.kept) R.string.training_kept else R.string.training_dropped)

        is Personal.Payload.Setting -> context.getString(R.string.setting, payload.name, payload.value)
    }

    private fun eventWords(event: Event) = when (event) {
        Event.SEEN -> R.string.event_seen
        Event.OPENED -> R.string.event_opened
        Event.LIKED -> R.string.event_liked
        Event.DISMISSED -> R.string.event_dismissed
        Event.FINISHED -> R.string.event_finished
    }

    /** Where it came from, and when. */
    private fun detailOf(record: Personal.Record): String {
        val date = DateUtils.formatDateTime(context, record.time.toInstant().toEpochMilli(), DATE)
        return titleOf(record.source)?.let { context.getString(R.string.separated, date, it) } ?: date
    }

    private fun titled(note: String) = titleOf(note) ?: context.getString(R.string.note_gone)

    /** A person learns what else went with the records. */
    private fun wordsOf(deletion: Personal.Deletion): String {
        val (records, gone) = deletion.records.size to deletion.derived.count { it.dropped }
        val deleted = context.resources.getQuantityString(R.plurals.records_deleted, records, records)
        return if (gone == 0) deleted else context.getString(R.string.derived_dropped, deleted)
    }

    private companion object {
        /** What a person did on purpose comes first. */
        val HEADINGS = listOf(
            R.string.knowledge_labels,
            R.string.knowledge_events,
            R.string.knowledge_texts,
            R.string.knowledge_trainings,
            R.string.knowledge_settings,
            R.string.knowledge_notes,
        )
        const val DATE = DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_TIME or DateUtils.FORMAT_ABBREV_MONTH
    }
}
