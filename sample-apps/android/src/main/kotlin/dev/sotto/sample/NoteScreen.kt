package dev.sotto.sample

import android.content.Context
import android.text.format.DateUtils
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.CheckBox
import android.widget.TextView
import dev.sotto.NoteSummary
import dev.sotto.Segment

/** What a person does with a note. */
interface NoteActions {
    /** Shows where it was said. */
    fun tap(evidence: List<Int>)

    /** Marks an action as done, or no longer. */
    fun tick(action: Int)

    /** Asks which label is the right one. */
    fun relabel()

    fun dismissTrouble()
}

/** The views of one note: shows a [NoteState], and decides nothing. */
class NoteScreen(root: View, private val actions: NoteActions) {
    private val context = root.context
    private val statusView = StatusView(root, actions::dismissTrouble)
    private val record = root.findViewById<Button>(R.id.record)
    private val summarize = root.findViewById<Button>(R.id.summarize)
    private val summaryCard = root.findViewById<View>(R.id.summary_card)
    private val label = root.findViewById<TextView>(R.id.label)
    private val title = root.findViewById<TextView>(R.id.title)
    private val overview = root.findViewById<TextView>(R.id.overview)
    private val pointsHeading = root.findViewById<View>(R.id.points_heading)
    private val points = root.findViewById<ViewGroup>(R.id.points)
    private val actionsHeading = root.findViewById<View>(R.id.actions_heading)
    private val actionRows = root.findViewById<ViewGroup>(R.id.actions)
    private val transcriptHeading = root.findViewById<View>(R.id.transcript_heading)
    private val transcript = root.findViewById<View>(R.id.transcript)
    private val segments = root.findViewById<ViewGroup>(R.id.segments)
    private val hearing = root.findViewById<TextView>(R.id.hearing)
    private val empty = root.findViewById<View>(R.id.empty)

    fun render(state: NoteState) {
        statusView.render(state)
        renderButtons(state)
        renderLabel(state)
        renderSummary(state.summary)
        renderActions(state)
        renderTranscript(state)
    }

    private fun renderButtons(state: NoteState) {
        val busy = state.phase != Phase.IDLE
        val listening = state.phase == Phase.LISTENING
        record.isEnabled = state.canListen || listening
        record.setText(if (listening) R.string.finish else R.string.record)
        summarize.isEnabled = state.canSummarize || busy
        summarize.setText(if (busy) R.string.cancel else R.string.summarize)
    }

    /** A note that nobody could label asks for one. */
    private fun renderLabel(state: NoteState) {
        label.text = context.labelWords(state.label) ?: context.getString(R.string.no_label)
        label.isVisible = state.canShare && state.phase == Phase.IDLE && state.summary != null
        label.contentDescription = context.getString(R.string.label_spoken, label.text)
        label.setOnClickListener { actions.relabel() }
    }

    private fun renderSummary(summary: NoteSummary?) {
        summaryCard.isVisible = summary != null
        title.showUnlessEmpty(summary?.title.orEmpty())
        overview.showUnlessEmpty(summary?.overview.orEmpty())
        pointsHeading.isVisible = !summary?.points.isNullOrEmpty()
        points.isVisible = pointsHeading.isVisible
        points.fill(summary?.points.orEmpty(), R.layout.point) { point ->
            findViewById<TextView>(R.id.text).text = point.text
            contentDescription = context.getString(R.string.point_spoken, point.text)
            setOnClickListener { actions.tap(point.evidence) }
        }
    }

    private fun renderActions(state: NoteState) {
        val items = state.summary?.actions.orEmpty()
        actionsHeading.isVisible = items.isNotEmpty()
        actionRows.isVisible = items.isNotEmpty()
        actionRows.fill(items, R.layout.action) { action ->
            val isDone = action.id in state.ticked
            val whole = if (action.detail.isEmpty()) {
                action.text
            } else {
                context.getString(R.string.with_detail, action.text, action.detail)
            }
            findViewById<TextView>(R.id.text).apply {
                text = action.text
                strikeThrough(isDone)
            }
            findViewById<TextView>(R.id.detail).showUnlessEmpty(action.detail)
            findViewById<View>(R.id.said).apply {
                contentDescription = context.getString(R.string.action_spoken, whole)
                setOnClickListener { actions.tap(action.evidence) }
            }
            findViewById<CheckBox>(R.id.done).apply {
                contentDescription = context.getString(R.string.done_spoken, action.text)
                isChecked = isDone
                setOnClickListener { actions.tick(action.id) }
            }
        }
    }

    private fun renderTranscript(state: NoteState) {
        val isEmpty = state.segments.isEmpty() && state.hearing.isEmpty()
        empty.isVisible = isEmpty
        transcript.isVisible = !isEmpty
        transcriptHeading.isVisible = !isEmpty
        hearing.showUnlessEmpty(state.hearing)
        segments.fill(state.segments, R.layout.segment) { segment ->
            (this as TextView).text = wordsOf(segment)
            val selected = segment.id in state.highlighted
            if (selected && !isSelected && segment.id == state.highlighted.min()) post { parent.requestChildFocus(this, this) }
            isSelected = selected
        }
    }

    private fun wordsOf(segment: Segment): String {
        val said = segment.speaker?.let { context.getString(R.string.speaker, it, segment.text) } ?: segment.text
        return segment.start?.let { context.getString(R.string.said_at, DateUtils.formatElapsedTime(it.toLong()), said) }
            ?: said
    }
}

/** Shows how a note is to be treated, where that is known. */
fun TextView.showLabel(label: String?) = showUnlessEmpty(context.labelWords(label).orEmpty())

/** A label in the person's language. */
fun Context.labelWords(label: String?): String? = when (label) {
    "urgent" -> getString(R.string.label_urgent)
    "task" -> getString(R.string.label_task)
    "ignorable" -> getString(R.string.label_ignorable)
    "attention" -> getString(R.string.label_attention)
    else -> label
}
