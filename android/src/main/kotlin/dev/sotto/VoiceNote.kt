package dev.sotto

import dev.sotto.internal.FfiSegment
import dev.sotto.internal.numberSegments
import dev.sotto.internal.textSegments
import dev.sotto.internal.transcriptSegments
import kotlinx.serialization.Serializable

/**
 * One stretch of speech.
 *
 * @property id its number within the note, from 1.
 * @property text what was said.
 * @property start when it starts, in seconds from the beginning of the recording, where that is known.
 * @property end when it ends, in seconds.
 * @property speaker who said it, where that is known.
 */
@Serializable
public data class Segment
@JvmOverloads
constructor(
    public val id: Int,
    public val text: String,
    public val start: Double? = null,
    public val end: Double? = null,
    public val speaker: String? = null,
)

/**
 * A transcript to summarize.
 *
 * @property segments the segments, in the order in which they were said. Summaries point to their ids, which count from
 *   1: an id of a summary's evidence belongs to `segments[id - 1]`, which says when its words were said and by whom.
 */
public class VoiceNote internal constructor(public val segments: List<Segment>) {
    /** How to make a note. */
    public companion object {
        /** A note from plain text: a segment for each sentence. */
        @JvmStatic
        public fun text(text: String): VoiceNote = translated { VoiceNote(textSegments(text).map { it.toSegment() }) }

        /**
         * A note from a transcript: what recorders and recognizers write, or plain text.
         *
         * Reads WebVTT, SRT, LRC, SBV, tables with times (comma- or tab-separated), the logs and JSON of Whisper
         * programs, the JSON of AssemblyAI, Deepgram, Google Speech-to-Text and AWS Transcribe, the turns and chats that
         * meeting apps write, and lines that begin with a time (`[00:04]`) or a speaker (`Priya:`). Timed utterances
         * become a segment each, all else one for each sentence. What is no speech (`[Music]`) is left out, and what a
         * recognizer says again and again counts once. Nothing is refused: what is not understood is words.
         */
        @JvmStatic
        public fun transcript(text: String): VoiceNote =
            translated { VoiceNote(transcriptSegments(text).map { it.toSegment() }) }

        /** A note from a speech recognizer's segments. Their ids are given anew, from 1; empty ones are left out. */
        @JvmStatic
        public fun segments(segments: List<Segment>): VoiceNote =
            translated { VoiceNote(numberSegments(segments.map { it.toFfi() }).map { it.toSegment() }) }

        /** A note from a transcript of Sotto's own: its segments keep their ids and times. */
        @JvmStatic
        public fun transcript(transcript: Transcript): VoiceNote =
            segments(transcript.segments.map { Segment(it.id, it.text, it.start, it.end) })
    }
}

internal fun FfiSegment.toSegment() = Segment(id.toInt(), text, start, end, speaker)

internal fun Segment.toFfi() = FfiSegment(id.toUInt(), start, end, text, speaker)
