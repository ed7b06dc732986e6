@file:JvmName("PersonalModels")
@file:JvmMultifileClass

package dev.sotto

import dev.sotto.internal.FfiCapitals
import dev.sotto.internal.FfiStyleProfile
import dev.sotto.internal.styleInstruction
import dev.sotto.internal.styleOf
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** Where somebody puts capital letters. */
@Serializable
public enum class Capitals {
    /** At the beginning of sentences. */
    @SerialName("sentences")
    SENTENCES,

    /** Nowhere, or in names at most. */
    @SerialName("never")
    NEVER,

    /** Everywhere. */
    @SerialName("always")
    ALWAYS,
}

/**
 * How somebody writes, for a person to read and edit and for a model to follow. What is `null` is not known or no habit.
 *
 * @property greeting how messages begin. `{name}` stands for the name of whoever gets them.
 * @property signOff how messages end.
 * @property sentenceWords words of a sentence, on average.
 * @property capitals where capital letters are.
 * @property emoji the most frequent emoji and emoticons; empty if none are used.
 * @property phrases words that often stand on their own, between punctuation marks; the most frequent first.
 */
@Serializable
@ByValue
public class StyleProfile
@JvmOverloads
constructor(
    public val greeting: String? = null,
    public val signOff: String? = null,
    public val sentenceWords: Int? = null,
    public val capitals: Capitals? = null,
    public val emoji: List<String>? = null,
    public val phrases: List<String> = emptyList(),
) {
    init {
        requireInput(sentenceWords == null || sentenceWords >= 0, "a sentence cannot have fewer than 0 words")
    }

    /** A sentence that tells a model to write like that, for the instructions of a session; `null` if nothing is known. */
    public fun instruction(): String? = translated { styleInstruction(toFfi()) }

    /** This profile, with changes: `profile.copy { greeting = … }`. */
    public fun copy(change: Builder.() -> Unit): StyleProfile = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [StyleProfile]. */
    public class Builder internal constructor(from: StyleProfile) {
        public var greeting: String? = from.greeting
        public var signOff: String? = from.signOff
        public var sentenceWords: Int? = from.sentenceWords
        public var capitals: Capitals? = from.capitals
        public var emoji: List<String>? = from.emoji
        public var phrases: List<String> = from.phrases

        internal fun build() = StyleProfile(greeting, signOff, sentenceWords, capitals, emoji, phrases)
    }

    internal fun toFfi() = FfiStyleProfile(
        greeting = greeting,
        signOff = signOff,
        sentenceWords = sentenceWords?.toUInt(),
        capitals =
        when (capitals) {
            Capitals.SENTENCES -> FfiCapitals.SENTENCES
            Capitals.NEVER -> FfiCapitals.NEVER
            Capitals.ALWAYS -> FfiCapitals.ALWAYS
            null -> null
        },
        emoji = emoji,
        phrases = phrases,
    )

    /** Finds profiles. */
    public companion object {
        /** The style of some texts of one writer. No model is used. From fewer than three, hardly anything can be told. */
        @JvmStatic
        public fun of(texts: List<String>): StyleProfile = translated { styleOf(texts).toProfile() }
    }
}

internal fun FfiStyleProfile.toProfile() = StyleProfile(
    greeting = greeting,
    signOff = signOff,
    sentenceWords = sentenceWords?.toInt(),
    capitals =
    when (capitals) {
        FfiCapitals.SENTENCES -> Capitals.SENTENCES
        FfiCapitals.NEVER -> Capitals.NEVER
        FfiCapitals.ALWAYS -> Capitals.ALWAYS
        null -> null
    },
    emoji = emoji,
    phrases = phrases,
)

/**
 * Says a text as the writer of [style] would. It is best with an adapter that [tune] trained on the writer's texts;
 * without one, small models follow a style badly. The snapshots are pieces of the text.
 */
public fun LocalModel.rewrite(
    text: String,
    style: StyleProfile,
    options: ChatOptions = ChatOptions(),
): SottoTask<String, ChatReply> = taskOf { open().rewrite(text, style.toFfi(), options.toFfi()).request() }
