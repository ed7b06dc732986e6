@file:JvmName("SpeechTranscripts")

package dev.sotto

import dev.sotto.internal.FfiSpeechMetrics
import dev.sotto.internal.FfiTranscribeJob
import dev.sotto.internal.FfiTranscribeOptions
import dev.sotto.internal.FfiTranscript
import dev.sotto.internal.FfiTranscriptPart
import dev.sotto.internal.FfiTranscriptSegment
import kotlinx.serialization.Serializable

/**
 * How a recording is to be transcribed.
 *
 * @property language the language that is spoken, by its code, such as `en`; detected, window by window, where it is `null`.
 * @property translate whether the text is in English, whatever is spoken.
 * @property vocabulary names and rare words that may be said: the model spells what it hears as it reads it here.
 * @property words whether segments come with their words' times.
 */
public class TranscribeOptions
@JvmOverloads
constructor(
    public val language: String? = null,
    public val translate: Boolean = false,
    public val vocabulary: String = "",
    public val words: Boolean = false,
) {

    /** These options, with changes: `options.copy { language = … }`. */
    public fun copy(change: Builder.() -> Unit): TranscribeOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [TranscribeOptions]. */
    public class Builder internal constructor(from: TranscribeOptions) {
        public var language: String? = from.language
        public var translate: Boolean = from.translate
        public var vocabulary: String = from.vocabulary
        public var words: Boolean = from.words

        internal fun build() = TranscribeOptions(language, translate, vocabulary, words)
    }

    internal fun toFfi() = FfiTranscribeOptions(language, translate, vocabulary, words)
}

/**
 * A word and when it was said.
 *
 * @property start in seconds from the beginning of the recording.
 * @property end in seconds from the beginning of the recording.
 * @property text with its punctuation.
 * @property probability how likely it is, from 0 to 1.
 */
@Serializable
@ByValue
public class TranscriptWord(
    public val start: Double,
    public val end: Double,
    public val text: String,
    public val probability: Float,
)

/**
 * Some words that were said, mostly a sentence.
 *
 * @property id its number within the transcript, from 1; of a tentative one, the number that it would have.
 * @property start when it starts, in seconds from the beginning of the recording.
 * @property end when it ends, in seconds.
 * @property text what was said.
 * @property words the words with their times, where they were asked for.
 * @property noSpeech how likely it is that nobody spoke, from 0 to 1.
 * @property meanLogProbability the mean of its tokens' log probabilities, in nats: near 0 where the model is sure.
 */
@Serializable
@ByValue
public class TranscriptSegment(
    public val id: Int,
    public val start: Double,
    public val end: Double,
    public val text: String,
    public val words: List<TranscriptWord>? = null,
    public val noSpeech: Float,
    public val meanLogProbability: Float,
)

/**
 * What has been understood since the part before.
 *
 * @property confirmed what has become certain: it follows the confirmed segments of the parts before, and never changes.
 * @property tentative what was said after that, as far as it is understood by now. The next part has it anew.
 * @property heardSeconds how much of the recording is certain, in seconds from its beginning.
 * @property audioSeconds how long the recording is, in seconds, where that is known.
 */
@ByValue
public class TranscriptPart(
    public val confirmed: List<TranscriptSegment>,
    public val tentative: List<TranscriptSegment>,
    public val heardSeconds: Double,
    public val audioSeconds: Double?,
)

/**
 * What a transcript cost.
 *
 * @property audioSeconds how long the recording is, in seconds.
 * @property windowSeconds how much sound the model was given, in seconds: all but silence, and what was tentative first more than
 *   once.
 * @property windows in how many windows.
 * @property seconds how long the model worked, in seconds.
 * @property realTimeFactor seconds of work for each second of the recording: below 1, it is faster than one speaks.
 * @property privateBytes private memory of the model and of what transcribes with it.
 */
@Serializable
@ByValue
public class SpeechMetrics(
    public val audioSeconds: Double,
    public val windowSeconds: Double,
    public val windows: Int,
    public val seconds: Double,
    public val realTimeFactor: Double,
    public val privateBytes: Long,
)

/**
 * What was said in a recording.
 *
 * @property language the code of the language that was given, or that most of the recording is in; `null` where nothing was said.
 * @property segments what was said, in order.
 * @property metrics what it cost.
 */
@Serializable
@ByValue
public class SpeechTranscript(
    public val language: String?,
    public val segments: List<TranscriptSegment>,
    public val metrics: SpeechMetrics,
)

internal fun FfiTranscribeJob.request() = Request(this, { next()?.toPart() }, { value().toTranscript() }, ::cancel)

/** This part of a recording of [audioSeconds]. */
internal fun TranscriptPart.of(audioSeconds: Double?) = TranscriptPart(confirmed, tentative, heardSeconds, audioSeconds)

private fun FfiTranscriptPart.toPart() = TranscriptPart(
    confirmed = confirmed.map { it.toSegment() },
    tentative = tentative.map { it.toSegment() },
    heardSeconds = heardSeconds,
    audioSeconds = audioSeconds,
)

private fun FfiTranscript.toTranscript() = SpeechTranscript(language, segments.map { it.toSegment() }, metrics.toMetrics())

private fun FfiTranscriptSegment.toSegment() = TranscriptSegment(
    id = id.toInt(),
    start = start,
    end = end,
    text = text,
    words = words?.map { TranscriptWord(it.start, it.end, it.text, it.probability) },
    noSpeech = noSpeech,
    meanLogProbability = meanLogProbability,
)

private fun FfiSpeechMetrics.toMetrics() = SpeechMetrics(
    audioSeconds = audioSeconds,
    windowSeconds = windowSeconds,
    windows = windows.toInt(),
    seconds = seconds,
    realTimeFactor = realTimeFactor,
    privateBytes = privateBytes.toLong(),
)

/** A note from one of Sotto's own transcripts. Its segments keep their ids and times. */
public fun VoiceNote.Companion.transcript(transcript: SpeechTranscript): VoiceNote =
    segments(transcript.segments.map { Segment(it.id, it.text, it.start, it.end) })
