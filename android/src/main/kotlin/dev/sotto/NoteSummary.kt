package dev.sotto

import dev.sotto.internal.FfiNoteSummary
import kotlinx.serialization.Serializable

/**
 * A thing to remember, quoted from the note.
 *
 * @property id its number, from 1. It is the same in all snapshots.
 * @property text the quoted words.
 * @property evidence ids of the segments that contain them.
 */
@Serializable
@ByValue
public class Point(public val id: Int, public val text: String, public val evidence: List<Int>)

/**
 * A thing to do, quoted from the note.
 *
 * @property id its number, from 1. It is the same in all snapshots.
 * @property text what has to be done.
 * @property owner who has to do it; `null` for the speaker, or if the note does not say.
 * @property due the due date, as it was said.
 * @property evidence ids of the segments that contain text, owner and due date.
 */
@Serializable
@ByValue
public class Action(
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
 * @property segments number of segments in the note.
 * @property windows number of windows in which the note is read: 1 for a note of a few minutes.
 */
@Serializable
@ByValue
public class Coverage(public val segmentsRead: List<Int>, public val segments: Int, public val windows: Int)

/**
 * A summary of a note. While it is being written, it grows: title and overview get longer, and complete points and
 * actions are added. An action may get its owner or due date later. If [SummaryOptions] limit their number, a better
 * item may take the place and the id of another.
 *
 * If a note is read in several windows, title and overview are written last.
 *
 * @property title a few words.
 * @property overview what the note is about.
 * @property points things to remember.
 * @property actions things to do.
 * @property coverage which part of the note was read.
 * @property metrics time, tokens and memory it took, once the summary is complete.
 */
@Serializable
@ByValue
public class NoteSummary(
    public val title: String,
    public val overview: String,
    public val points: List<Point>,
    public val actions: List<Action>,
    public val coverage: Coverage,
    public val metrics: Metrics?,
)

/** A task whose last snapshot is its value. */
internal fun summaryTask(start: () -> Request<NoteSummary, NoteSummary>): SottoTask<NoteSummary, NoteSummary> =
    SottoTask { onSnapshot -> translated(start).run(onSnapshot).also { onSnapshot(it) } }

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
