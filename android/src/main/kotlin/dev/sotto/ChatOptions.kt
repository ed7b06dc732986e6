package dev.sotto

import dev.sotto.internal.FfiChatOptions
import dev.sotto.internal.FfiFormat
import dev.sotto.internal.FfiSampling
import kotlinx.serialization.json.JsonObject

/**
 * How the next token is chosen.
 *
 * @property temperature 0 always chooses the most probable token; higher values vary more.
 * @property topK if given, only this many of the most probable tokens.
 * @property topP if given, only the most probable tokens whose probabilities add up to this; above 0, at most 1.
 * @property minP if given, only tokens with at least this share of the highest probability; 0 to 1.
 * @property repetitionPenalty makes recent tokens less probable; 1 changes nothing.
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

    /** These settings, with changes: `sampling.copy { temperature = … }`. */
    public fun copy(change: Builder.() -> Unit): Sampling = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [Sampling]. */
    public class Builder internal constructor(from: Sampling) {
        public var temperature: Float = from.temperature
        public var topK: Int? = from.topK
        public var topP: Float? = from.topP
        public var minP: Float? = from.minP
        public var repetitionPenalty: Float = from.repetitionPenalty
        public var repetitionWindow: Int = from.repetitionWindow
        public var seed: Long = from.seed

        internal fun build() = Sampling(temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, seed)
    }

    /** Predefined settings. */
    public companion object {
        /** Always the most probable token: the same conversation gives the same answer. */
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

/** A constraint on an answer, enforced token by token. */
public class AnswerFormat private constructor(internal val ffi: FfiFormat) {
    internal val isJsonSchema get() = ffi is FfiFormat.JsonSchema

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

        /** A sentence of this grammar, in llguidance's dialect of Lark, beginning with the rule `start`. */
        @JvmStatic
        public fun lark(grammar: String): AnswerFormat = AnswerFormat(FfiFormat.Lark(grammar))
    }
}

/**
 * How a session answers.
 *
 * @property maxTokens the maximum number of tokens in an answer.
 * @property sampling how the next token is chosen.
 * @property format a constraint on the answer, if any.
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

    /** These options, with changes: `options.copy { maxTokens = … }`. */
    public fun copy(change: Builder.() -> Unit): ChatOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [ChatOptions]. */
    public class Builder internal constructor(from: ChatOptions) {
        public var maxTokens: Int = from.maxTokens
        public var sampling: Sampling = from.sampling
        public var format: AnswerFormat? = from.format

        internal fun build() = ChatOptions(maxTokens, sampling, format)
    }

    internal fun toFfi() = FfiChatOptions(sampling.toFfi(), maxTokens.toUInt(), format?.ffi)
}
