package dev.sotto

import dev.sotto.internal.FfiChatOptions
import dev.sotto.internal.FfiFormat
import dev.sotto.internal.FfiSampling
import kotlinx.serialization.json.JsonObject

/**
 * How tokens are chosen.
 *
 * @property temperature 0 always takes the best token; higher values vary more.
 * @property topK only the so many best tokens, if given.
 * @property topP only the fewest best tokens whose probabilities reach this sum, if given; above 0, at most 1.
 * @property minP only tokens at least this times as likely as the best, if given; 0 to 1.
 * @property repetitionPenalty makes tokens of the recent history less likely; 1 changes nothing.
 * @property repetitionWindow how many of the last tokens count as recent.
 * @property seed the same seed, options and conversation give the same answer.
 * @throws SottoException.InvalidInput for a [topK] below 1 or a [repetitionWindow] below 0.
 */
public class Sampling
@JvmOverloads
constructor(
    public val temperature: Float = 0.7f,
    public val topK: Int? = null,
    public val topP: Float? = 0.9f,
    public val minP: Float? = 0.05f,
    public val repetitionPenalty: Float = 1f,
    public val repetitionWindow: Int = 64,
    public val seed: Long = 0,
) {
    init {
        requireInput(topK == null || topK > 0, "topK must be at least 1")
        requireInput(repetitionWindow >= 0, "the repetition window cannot be negative")
    }

    /** Ready-made ways to choose. */
    public companion object {
        /** Always the best token: the same conversation gives the same answer. */
        @JvmField
        public val GREEDY: Sampling = Sampling(temperature = 0f, topP = null, minP = null)
    }

    internal fun toFfi() = FfiSampling(
        temperature = temperature,
        topK = topK?.toUInt(),
        topP = topP,
        minP = minP,
        repetitionPenalty = repetitionPenalty,
        repetitionWindow = repetitionWindow.toUInt(),
        seed = seed.toULong(),
    )
}

/** What an answer is held to, token by token. */
public class AnswerFormat private constructor(internal val ffi: FfiFormat) {
    /** The formats. */
    public companion object {
        /** One JSON value that fits the schema. */
        @JvmStatic
        public fun jsonSchema(schema: JsonObject): AnswerFormat = AnswerFormat(FfiFormat.JsonSchema(schema.toString()))

        /** Exactly one of these texts. */
        @JvmStatic
        public fun choice(choices: List<String>): AnswerFormat = AnswerFormat(FfiFormat.Choice(choices))

        /** A match of this regular expression. */
        @JvmStatic
        public fun regex(regex: String): AnswerFormat = AnswerFormat(FfiFormat.Regex(regex))

        /** A sentence of this grammar, in llguidance's dialect of Lark; the rule `start` is where it starts. */
        @JvmStatic
        public fun lark(grammar: String): AnswerFormat = AnswerFormat(FfiFormat.Lark(grammar))
    }
}

/**
 * How a session answers.
 *
 * @property maxTokens the most tokens of one answer.
 * @property sampling how tokens are chosen.
 * @property format what the answer is held to, if anything.
 * @throws SottoException.InvalidInput for [maxTokens] below 1.
 */
public class ChatOptions
@JvmOverloads
constructor(
    public val maxTokens: Int = 512,
    public val sampling: Sampling = Sampling(),
    public val format: AnswerFormat? = null,
) {
    init {
        requireInput(maxTokens > 0, "an answer has at least one token")
    }

    internal fun toFfi() = FfiChatOptions(sampling.toFfi(), maxTokens.toUInt(), format?.ffi)
}
