package dev.sotto

import dev.sotto.internal.FfiNoteSummary
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.Serializable

/**
 * One thing to remember, in the note's own words.
 *
 * @property id its number, from 1: it stays the same in all snapshots.
 * @property text the words.
 * @property evidence ids of the segments that they stand in.
 */
@Serializable
public data class Point(public val id: Int, public val text: String, public val evidence: List<Int>)

/**
 * One thing to do, in the note's own words.
 *
 * @property id its number, from 1: it stays the same in all snapshots.
 * @property text what is to be done.
 * @property owner who has to do it; `null` for the speaker, or when the note does not say.
 * @property due by when, as it was said.
 * @property evidence ids of the segments that all this stands in.
 */
@Serializable
public data class Action(
    public val id: Int,
    public val text: String,
    public val owner: String?,
    public val due: String?,
    public val evidence: List<Int>,
)

/**
 * Which segments of the note were read.
 *
 * @property segmentsRead ids of the segments read so far.
 * @property segments how many segments the note has.
 * @property windows how many windows the note is read in: 1 for a note of some minutes.
 */
@Serializable
public data class Coverage(public val segmentsRead: List<Int>, public val segments: Int, public val windows: Int)

/**
 * A summarized note. While it is being written, it grows: title and overview get longer, and points and actions are added once they
 * are whole. An action may get its owner or due date later. Where [SummaryOptions] limit how many there are, a better one may take
 * the place and the id of another.
 *
 * Title and overview of a note that is read in several windows are written last.
 *
 * @property title a few words.
 * @property overview what the note is about.
 * @property points things to remember.
 * @property actions things to do.
 * @property coverage which part of the note this rests on.
 * @property metrics what it cost; there once the summary is complete.
 */
@Serializable
public data class NoteSummary(
    public val title: String,
    public val overview: String,
    public val points: List<Point>,
    public val actions: List<Action>,
    public val coverage: Coverage,
    public val metrics: Metrics?,
)

/**
 * A summary that has not been asked for yet: collect it for growing snapshots, of which the last is the complete one, or
 * [await] the complete one alone. Each time, the note is summarized.
 *
 * A slow collector loses nothing; one that only wants the latest says `conflate()`.
 */
public class SummaryFlow internal constructor(private val start: () -> Request<NoteSummary, NoteSummary>) :
    Flow<NoteSummary> by snapshotsOf({ emit(it) }, start) {
    /** The complete summary. */
    public suspend fun await(): NoteSummary = valueOf { start() }
}

internal fun FfiNoteSummary.toSummary() = NoteSummary(
    title = title,
    overview = overview,
    points = points.map { Point(it.id.toInt(), it.text, it.evidence.map(UInt::toInt)) },
    actions = actions.map { Action(it.id.toInt(), it.text, it.owner, it.due, it.evidence.map(UInt::toInt)) },
    coverage =
    Coverage(
        segmentsRead = coverage.segmentsRead.map(UInt::toInt),
        segments = coverage.segments.toInt(),
        windows = coverage.windows.toInt(),
    ),
    metrics = metrics?.toMetrics(),
)
