package dev.sotto.sample

import android.text.format.DateUtils
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.ListView
import android.widget.TextView

/** The views of the list of notes: shows a [NoteState], and decides nothing. */
class NotesScreen(root: View, open: (id: String) -> Unit, dismissTrouble: () -> Unit) {
    private val context = root.context
    private val statusView = StatusView(root, dismissTrouble)
    private val record = root.findViewById<Button>(R.id.record)
    private val paste = root.findViewById<Button>(R.id.paste)
    private val notes = Notes()

    init {
        val list = root.findViewById<ListView>(R.id.notes)
        list.emptyView = root.findViewById(R.id.empty)
        list.adapter = notes
        list.setOnItemClickListener { _, _, position, _ -> open(notes.getItem(position).id) }
    }

    fun render(state: NoteState) {
        statusView.render(state)
        record.isEnabled = state.canListen
        paste.isEnabled = state.canPaste
        if (notes.state != state) notes.state = state
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
        val firstWords = note.segments.first().text
        findViewById<TextView>(R.id.title).text = summary?.title?.takeIf { it.isNotEmpty() } ?: firstWords
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
