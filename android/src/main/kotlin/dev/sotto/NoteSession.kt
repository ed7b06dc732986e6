package dev.sotto

import dev.sotto.internal.FfiNoteSession

/**
 * A note that is still being spoken: the model reads along, so that [finish] has little more to do than to write.
 *
 * Safe to use from any thread, the main thread too. It takes the memory of a whole context until it is closed. Of a long note,
 * each window is summarized as soon as it is complete.
 *
 * ```
 * model.noteSession().use { session ->
 *     recognized.collect { text -> session.append(Segment(0, text)) }
 *     session.finish().collect { render(it) }
 * }
 * ```
 */
public class NoteSession internal constructor(private val ffi: FfiNoteSession) : AutoCloseable {
    /** What was said so far, numbered as the summary's evidence is. */
    public val note: VoiceNote get() = translated { VoiceNote(open().note().map { it.toSegment() }) }

    /**
     * Appends what was said next, and returns at once: it is read in the background. Its id is given anew, from 1; an empty segment
     * is left out. Once the note is finished, this throws [SottoException.InvalidInput].
     */
    public fun append(segment: Segment): Unit = translated { open().append(segment.toFfi()) }

    /**
     * The summary of the note: exactly that of [LocalModel.summarize]. Collecting or awaiting it ends the note; what went wrong
     * while it was read is told there.
     */
    public fun finish(): SummaryFlow = SummaryFlow { open().finish().request() }

    /** Stops reading within 100 ms and gives the memory back; a summary that is being written runs to its end. */
    override fun close(): Unit = ffi.close()

    internal fun open(): FfiNoteSession {
        check(!ffi.uniffiIsDestroyed) { "the note session is closed" }
        return ffi
    }
}
