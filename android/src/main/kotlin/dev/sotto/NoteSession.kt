package dev.sotto

import dev.sotto.internal.FfiNoteSession

/**
 * A note that is still being spoken. The model reads it in the background, so that [finish] only has to write the
 * summary.
 *
 * Safe to use from any thread, including the main thread. It holds the memory of a full context until it is closed.
 * Each window of a long note is summarized as soon as it is complete.
 *
 * ```
 * model.noteSession().use { session ->
 *     recognized.collect { text -> session.append(Segment(0, text)) }
 *     session.finish().snapshots.collect { render(it) }
 * }
 * ```
 */
public class NoteSession internal constructor(private val ffi: FfiNoteSession) : AutoCloseable {
    /** The note so far, with the ids that the summary's evidence refers to. */
    public val note: VoiceNote get() = translated { VoiceNote(open().note().map { it.toSegment() }) }

    /**
     * Appends the next segment and returns at once; it is read in the background. It gets the next id, counted from 1,
     * and an empty segment is left out. Once the note is finished, this throws [SottoException.InvalidInput].
     */
    public fun append(segment: Segment): Unit = translated { open().append(segment.toFfi()) }

    /**
     * The summary of the note, exactly like that of [LocalModel.summarize]. The task ends the note when it begins, and
     * reports errors from reading it.
     */
    public fun finish(): SottoTask<NoteSummary, NoteSummary> = summaryTask { open().finish().request() }

    /** Stops reading within 100 ms and releases the memory. A summary that is being written runs to its end. */
    override fun close(): Unit = ffi.close()

    internal fun open(): FfiNoteSession {
        check(!ffi.uniffiIsDestroyed) { "the note session is closed" }
        return ffi
    }
}
