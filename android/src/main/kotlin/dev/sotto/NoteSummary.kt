package dev.sotto

import dev.sotto.internal.FfiNoteSummary
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.Serializable

/**
 * One thing to remember, in the note's own words.
 *
 * @property text the words.
 * @property evidence ids of the segments that they stand in.
 */
@Serializable
public data class Point(public val text: String, public val evidence: List<Int>)

/**
 * One thing to do, in the note's own words.
 *
 * @property text what is to be done.
 * @property owner who has to do it; `null` for the speaker, or when the note does not say.
 * @property due by when, as it was said.
 * @property evidence ids of the segments that all this stands in.
 */
@Serializable
public data class Action(
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
 * @property windows how many windows the note was read in: 1 unless it is longer than the model's context.
 */
@Serializable
public data class Coverage(public val segmentsRead: List<Int>, public val segments: Int, public val windows: Int)

/**
 * A summarized note. While it is being written, it grows: later snapshots extend earlier ones.
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
    points = points.map { Point(it.text, it.evidence.map(UInt::toInt)) },
    actions = actions.map { Action(it.text, it.owner, it.due, it.evidence.map(UInt::toInt)) },
    coverage =
    Coverage(
        segmentsRead = coverage.segmentsRead.map(UInt::toInt),
        segments = coverage.segments.toInt(),
        windows = coverage.windows.toInt(),
    ),
    metrics = metrics?.toMetrics(),
)
