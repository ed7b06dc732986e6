@file:JvmName("PersonalModels")
@file:JvmMultifileClass

package dev.sotto

import dev.sotto.internal.FfiOnDeletion
import dev.sotto.internal.FfiStyle
import java.io.File
import java.time.OffsetDateTime

/**
 * How a person writes, as a [Personal] knows it, from [Personal.style]: their texts, a profile that can be read and edited, and an adapter
 * that [LocalModel.tune] learnt from the texts.
 *
 * ```
 * val style = personal.style("me")
 * style.learn(message, source = "mail")
 * val chat = model.session("You answer mails.", style)
 * ```
 */
public class Style internal constructor(private val personal: Personal, private val name: String) {
    /** Adds a text that the person wrote, unless learning is paused. [source] is where, as the person would call it. */
    public suspend fun learn(text: String, source: String, time: OffsetDateTime = OffsetDateTime.now()): Personal.Learnt =
        native { with { it.learn(text, source, time.toFfi()).toLearnt() } }

    /** The profile: what the person made of it, or else what the texts show. */
    public suspend fun profile(): StyleProfile = native { with { it.profile().toProfile() } }

    /** Keeps a profile that the person edited; with `null`, the profile follows the texts again. */
    public suspend fun setProfile(profile: StyleProfile?, time: OffsetDateTime = OffsetDateTime.now()): Unit =
        native { with { it.setProfile(profile?.toFfi(), time.toFfi()) } }

    /** The adapter, if one was learnt and is still there. */
    public suspend fun adapter(): StyleAdapter? =
        native { with { style -> style.adapter()?.run { StyleAdapter(File(path), outdated, time.toTime()) } } }

    /** Drops the adapter. The texts and the profile stay. The result says whether there was one. */
    public suspend fun dropAdapter(): Boolean = native { with { it.dropAdapter() } }

    internal fun <T> with(body: (FfiStyle) -> T): T = personal.open().style(name).use(body)
}

/**
 * The adapter of a [Style].
 *
 * @property file its file.
 * @property outdated a text that it was learnt from has been deleted since: learn it again.
 * @property time when it was learnt.
 */
@ByValue
public class StyleAdapter(public val file: File, public val outdated: Boolean, public val time: OffsetDateTime)

/** What happens to an adapter when a text that it was learnt from is deleted. */
public enum class OnDeletion {
    /** It is dropped, with its file. */
    DROP,

    /** It stays in use, marked as outdated, until it is learnt again. */
    MARK,
    ;

    internal fun toFfi() = when (this) {
        DROP -> FfiOnDeletion.DROP
        MARK -> FfiOnDeletion.MARK
    }
}

/**
 * Starts a conversation in which the model writes as [style] says: with its profile after the [instructions], and with its adapter if
 * there is one of this model.
 */
public suspend fun LocalModel.session(instructions: String?, style: Style): ChatSession = closingUnlessDelivered { made ->
    native { style.with { ChatSession(open().sessionInStyle(instructions, it)).also(made) } }
}

/**
 * Learns how [style]'s texts are written, as [tune] does with texts. The adapter is kept beside the store, and [session] uses it. When one
 * of those texts is deleted, [onDeletion] says what becomes of the adapter.
 *
 * @throws SottoException.InvalidInput while learning is paused, and if texts were deleted meanwhile; nothing is kept then.
 */
public fun LocalModel.tune(
    style: Style,
    onDeletion: OnDeletion = OnDeletion.DROP,
    options: TuneOptions = TuneOptions(),
    time: OffsetDateTime = OffsetDateTime.now(),
): SottoTask<TuneProgress, TuneReport> = taskOf {
    style.with { open().tuneStyle(it, onDeletion.toFfi(), options.toFfi(), time.toFfi()).request() }
}

/**
 * This model, with the adapter of [style] if one was learnt. Close both models.
 *
 * @throws SottoException.ModelInvalid for an adapter of another model.
 */
public suspend fun LocalModel.withStyle(style: Style): LocalModel = closingUnlessDelivered { made ->
    native { style.with { LocalModel(open().withStyle(it), contextLength).also(made) } }
}
