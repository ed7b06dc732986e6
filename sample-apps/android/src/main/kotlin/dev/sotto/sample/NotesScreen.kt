package dev.sotto.sample

import android.text.format.DateUtils
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.ListView
import android.widget.TextView
import dev.sotto.Reason

/** The views of the list of notes: shows a [NoteState], and decides nothing. */
class NotesScreen(root: View, private val open: (id: String) -> Unit, dismissTrouble: () -> Unit) {
    private val context = root.context
    private val statusView = StatusView(root, dismissTrouble)
    private val record = root.findViewById<Button>(R.id.record)
    private val paste = root.findViewById<Button>(R.id.paste)
    private val notes = Notes()
    private val list = root.findViewById<ListView>(R.id.notes)
    private val header = LayoutInflater.from(context).inflate(R.layout.for_you, list, false)

    init {
        list.emptyView = root.findViewById(R.id.empty)
        list.addHeaderView(header, null, false)
        list.adapter = notes
        list.setOnItemClickListener { _, _, position, _ -> open((list.getItemAtPosition(position) as KeptNote).id) }
    }

    fun render(state: NoteState) {
        statusView.render(state)
        record.isEnabled = state.canListen
        paste.isEnabled = state.canPaste
        renderForYou(state)
        if (notes.state != state) notes.state = state
    }

    private fun renderForYou(state: NoteState) {
        val items = state.forYou.mapNotNull { item -> state.notes.find { it.id == item.note }?.let { it to item.reason } }
        for (id in listOf(R.id.for_you_heading, R.id.for_you, R.id.all_notes_heading)) {
            header.findViewById<View>(id).isVisible = items.isNotEmpty()
        }
        header.findViewById<ViewGroup>(R.id.for_you).fill(items, R.layout.for_you_row) { (note, reason) ->
            findViewById<TextView>(R.id.title).text = note.titleWords
            findViewById<TextView>(R.id.reason).text = wordsFor(reason, state)
            setOnClickListener { open(note.id) }
        }
    }

    private fun wordsFor(reason: Reason, state: NoteState): String = when (reason) {
        is Reason.Taste -> state.notes.find { it.id == reason.like }
            ?.let { context.getString(R.string.because_you_like, it.titleWords) }
            ?: context.getString(R.string.because_you_read)

        else -> context.getString(R.string.because_you_read)
    }

    private inner class Notes : BaseAdapter() {
        var state = NoteState()
            set(value) {
                field = value
                notifyDataSetChanged()
            }

        override fun getCount() = state.notes.size

        override fun getItem(position: Int) = state.notes[position]

        override fun getItemId(position: Int) = getItem(position).id.hashCode().toLong()

        override fun getView(position: Int, old: View?, list: ViewGroup): View {
            val row = old ?: LayoutInflater.from(context).inflate(R.layout.note_row, list, false)
            return row.apply { show(getItem(position)) }
        }
    }

    private fun View.show(note: KeptNote) {
        val isShown = note.id == notes.state.id
        val summary = notes.state.summary?.takeIf { isShown } ?: note.summary
        findViewById<TextView>(R.id.title).text = note.copy(summary = summary).titleWords
        findViewById<TextView>(R.id.preview).showUnlessEmpty(summary?.overview ?: "")
        findViewById<TextView>(R.id.label).showLabel(note.label)
        findViewById<TextView>(R.id.detail).text = detail(note, isShown)
    }

    private fun detail(note: KeptNote, isShown: Boolean): String {
        if (isShown && notes.state.phase == Phase.SUMMARIZING) return context.getString(R.string.summarizing)
        val date = DateUtils.formatDateTime(context, note.at, DATE)
        val left = note.summary?.actions.orEmpty().count { it.id !in note.ticked }
        if (left == 0) return date
        return context.getString(R.string.separated, date, context.resources.getQuantityString(R.plurals.to_do, left, left))
    }

    private companion object {
        const val DATE = DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_TIME or DateUtils.FORMAT_ABBREV_MONTH
    }
}

/** What a note is about: its summary's title or, without one, how it begins. */
val KeptNote.titleWords: String get() = summary?.title?.takeIf { it.isNotEmpty() } ?: segments.first().text
