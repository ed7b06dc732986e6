package dev.sotto.sample

import dev.sotto.NoteSummary

/** A line of a summary that can be tapped. */
data class SummaryLine(val kind: Kind, val text: String, val detail: String, val evidence: List<Int>) {
    enum class Kind { POINT, ACTION }
}

/** The points, then what has to be done, with its owner and date. */
fun NoteSummary.lines(): List<SummaryLine> = points.map { SummaryLine(SummaryLine.Kind.POINT, it.text, "", it.evidence) } +
    actions.map {
        SummaryLine(SummaryLine.Kind.ACTION, it.text, listOfNotNull(it.owner, it.due).joinToString(" · "), it.evidence)
    }
