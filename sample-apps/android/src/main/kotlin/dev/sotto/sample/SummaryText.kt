package dev.sotto.sample

import android.content.Context
import dev.sotto.Action

/** Who has to do it, and until when, as far as it was said. */
val Action.detail get() = listOfNotNull(owner, due).joinToString(" · ")

/** The note as text for other apps: its summary, where there is one, or what was said. */
fun Context.textOf(state: NoteState): String {
    val summary = state.summary ?: return state.segments.joinToString("\n") { it.text }
    val points = summary.points.map { getString(R.string.shared_point, it.text) }
    val actions = summary.actions.map {
        val text = if (it.detail.isEmpty()) it.text else getString(R.string.with_detail, it.text, it.detail)
        getString(if (it.id in state.ticked) R.string.shared_done else R.string.shared_action, text)
    }
    fun section(heading: Int, lines: List<String>) = if (lines.isEmpty()) {
        emptyList()
    } else {
        listOf("", getString(heading)) +
            lines
    }
    val lines = listOf(summary.title, summary.overview) + section(R.string.points, points) + section(R.string.actions, actions)
    return lines.joinToString("\n")
}
