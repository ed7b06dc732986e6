package dev.sotto

import dev.sotto.internal.FfiSegment
import dev.sotto.internal.numberSegments
import dev.sotto.internal.textSegments
import dev.sotto.internal.transcriptSegments
import kotlinx.serialization.Serializable

/**
 * A segment of speech.
 *
 * @property id its number within the note, from 1.
 * @property text what was said.
 * @property start when it starts, in seconds from the beginning of the recording, if known.
 * @property end when it ends, in seconds.
 * @property speaker the speaker, if known.
 */
@Serializable
@ByValue
public class Segment
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
 * @property segments the segments, in the order in which they were said. Summaries refer to their ids, which count from
 *   1: id `id` in a summary's evidence is `segments[id - 1]`, which has the time and the speaker.
 */
public class VoiceNote internal constructor(public val segments: List<Segment>) {
    /** Creates notes. */
    public companion object {
        /** A note from plain text, with a segment for each sentence. */
        @JvmStatic
        public fun text(text: String): VoiceNote = translated { VoiceNote(textSegments(text).map { it.toSegment() }) }

        /**
         * A note from a transcript in one of the formats of recorders and speech recognizers, or from plain text.
         *
         * Reads WebVTT, SRT, LRC, SBV, tables with times (comma- or tab-separated), the logs and JSON of Whisper
         * programs, the JSON of AssemblyAI, Deepgram, Google Speech-to-Text and AWS Transcribe, the transcripts and
         * chats of meeting apps, and lines that begin with a time (`[00:04]`) or a speaker (`Priya:`). Each timed
         * utterance becomes a segment; everything else becomes one segment per sentence. Sounds such as `[Music]` are
         * left out, and a recognizer's repetition loop counts once. Every text is accepted: what is not recognized as
         * markup is treated as words.
         */
        @JvmStatic
        public fun transcript(text: String): VoiceNote =
            translated { VoiceNote(transcriptSegments(text).map { it.toSegment() }) }

        /**
         * A note from the segments of a speech recognizer. They are numbered again from 1, and empty ones are left out.
         */
        @JvmStatic
        public fun segments(segments: List<Segment>): VoiceNote =
            translated { VoiceNote(numberSegments(segments.map { it.toFfi() }).map { it.toSegment() }) }
    }
}

internal fun FfiSegment.toSegment() = Segment(id.toInt(), text, start, end, speaker)

internal fun Segment.toFfi() = FfiSegment(id.toUInt(), start, end, text, speaker)
