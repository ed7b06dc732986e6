package dev.sotto.sample

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import dev.sotto.NoteSummary
import dev.sotto.Segment
import kotlin.math.roundToInt

/** The views of the note: shows a [NoteState], and decides nothing. */
class NoteScreen(private val root: View, private val onTap: (evidence: List<Int>) -> Unit) {
    private val context = root.context
    private val record = root.findViewById<Button>(R.id.record)
    private val paste = root.findViewById<Button>(R.id.paste)
    private val summarize = root.findViewById<Button>(R.id.summarize)
    private val status = root.findViewById<TextView>(R.id.status)
    private val progress = root.findViewById<ProgressBar>(R.id.progress)
    private val trouble = root.findViewById<TextView>(R.id.trouble)
    private val label = root.findViewById<TextView>(R.id.label)
    private val title = root.findViewById<TextView>(R.id.title)
    private val overview = root.findViewById<TextView>(R.id.overview)
    private val lines = root.findViewById<ViewGroup>(R.id.lines)
    private val segments = root.findViewById<ViewGroup>(R.id.segments)
    private val hearing = root.findViewById<TextView>(R.id.hearing)

    fun render(state: NoteState) {
        renderControls(state)
        renderSummary(state.summary)
        renderSegments(state.segments, state.highlighted)
        status.text = statusOf(state)
        label.showUnlessEmpty(state.label.orEmpty())
        hearing.showUnlessEmpty(state.hearing)
        trouble.showUnlessEmpty(state.trouble?.let { context.getString(it.message) }.orEmpty())
    }

    private fun renderControls(state: NoteState) {
        val busy = state.phase != Phase.IDLE
        record.isEnabled = state.canListen || state.phase == Phase.LISTENING
        record.setText(if (state.phase == Phase.LISTENING) R.string.finish else R.string.record)
        paste.isEnabled = state.canPaste
        summarize.isEnabled = state.canSummarize || busy
        summarize.setText(if (busy) R.string.cancel else R.string.summarize)
        val loading = state.model as? ModelState.Loading ?: state.speech as? ModelState.Loading
        val working = loading != null || state.phase == Phase.READING || state.phase == Phase.SUMMARIZING
        progress.visibility = if (working) View.VISIBLE else View.INVISIBLE
        progress.isIndeterminate = loading?.fraction == null
        progress.progress = ((loading?.fraction ?: 0f) * progress.max).roundToInt()
    }

    private fun statusOf(state: NoteState): String = when (val model = state.model) {
        ModelState.Missing -> context.getString(R.string.no_model)

        is ModelState.Loading -> context.getString(R.string.loading, model.name)

        is ModelState.Ready -> when (state.phase) {
            Phase.IDLE -> when (val speech = state.speech) {
                is ModelState.Loading -> context.getString(R.string.loading, speech.name)
                else -> model.name
            }

            Phase.READING -> context.getString(R.string.reading)

            Phase.LISTENING -> context.getString(R.string.listening)

            Phase.SUMMARIZING -> context.getString(R.string.summarizing)
        }
    }

    private fun renderSummary(summary: NoteSummary?) {
        title.showUnlessEmpty(summary?.title.orEmpty())
        overview.showUnlessEmpty(summary?.overview.orEmpty())
        lines.fill(summary?.lines().orEmpty(), R.layout.line) { line ->
            val whole = if (line.detail.isEmpty()) {
                line.text
            } else {
                context.getString(
                    R.string.with_detail,
                    line.text,
                    line.detail,
                )
            }
            val spoken = if (line.kind == SummaryLine.Kind.ACTION) R.string.action_spoken else R.string.point_spoken
            val shown = if (line.kind == SummaryLine.Kind.ACTION) R.string.action_shown else R.string.point_shown
            text = context.getString(shown, whole)
            contentDescription = context.getString(spoken, whole)
            setOnClickListener { onTap(line.evidence) }
        }
    }

    private fun renderSegments(said: List<Segment>, highlighted: Set<Int>) {
        segments.fill(said, R.layout.segment) { segment ->
            text = segment.speaker?.let { context.getString(R.string.speaker, it, segment.text) } ?: segment.text
            val selected = segment.id in highlighted
            if (selected && !isSelected && segment.id == highlighted.min()) post { parent.requestChildFocus(this, this) }
            isSelected = selected
        }
    }

    /** One view for each item; those that are there already are used again. */
    private fun <T> ViewGroup.fill(items: List<T>, layout: Int, show: TextView.(T) -> Unit) {
        while (childCount > items.size) removeViewAt(childCount - 1)
        while (childCount < items.size) LayoutInflater.from(context).inflate(layout, this)
        items.forEachIndexed { index, item -> (getChildAt(index) as TextView).show(item) }
    }

    private fun TextView.showUnlessEmpty(words: String) {
        text = words
        visibility = if (words.isEmpty()) View.GONE else View.VISIBLE
    }
}

private val Trouble.message
    get() = when (this) {
        Trouble.MODEL_NOT_FOUND -> R.string.trouble_model_not_found
        Trouble.MODEL_DAMAGED -> R.string.trouble_model_damaged
        Trouble.MODEL_UNSUPPORTED -> R.string.trouble_model_unsupported
        Trouble.OUT_OF_MEMORY -> R.string.trouble_out_of_memory
        Trouble.NO_SPACE -> R.string.trouble_no_space
        Trouble.NOTE_TOO_LONG -> R.string.trouble_note_too_long
        Trouble.TEXT_UNUSABLE -> R.string.trouble_text_unusable
        Trouble.BUSY -> R.string.trouble_busy
        Trouble.NOTHING_TO_PASTE -> R.string.trouble_nothing_to_paste
        Trouble.FILE_UNREADABLE -> R.string.trouble_file_unreadable
        Trouble.MICROPHONE_DENIED -> R.string.trouble_microphone_denied
        Trouble.MICROPHONE_TAKEN -> R.string.trouble_microphone_taken
        Trouble.SOUND_NOT_KEPT -> R.string.trouble_sound_not_kept
        Trouble.NO_RECOGNIZER -> R.string.trouble_no_recognizer
        Trouble.RECOGNIZER_FAILED -> R.string.trouble_recognizer_failed
        Trouble.INTERNAL -> R.string.trouble_internal
    }
