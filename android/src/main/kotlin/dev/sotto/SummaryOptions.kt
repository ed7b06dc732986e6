package dev.sotto

import dev.sotto.internal.FfiSummaryOptions

/**
 * What a summary shall be like.
 *
 * @property language the language of title and overview, by its English name (`"German"`); `null` for the note's own. Points and
 *   actions stay in the note's words. A model tuned for notes copies its title and overview from the note, too: it ignores this.
 * @property maxPoints the most points. Where a note has more, those about its main topics are kept.
 * @property maxActions the most actions; `null` for all. Where a note has more, those with a due date or an owner are kept first.
 * @throws SottoException.InvalidInput for a negative number.
 */
public class SummaryOptions
@JvmOverloads
constructor(
    public val language: String? = null,
    public val maxPoints: Int = 20,
    public val maxActions: Int? = null,
) {
    init {
        requireInput(maxPoints >= 0 && (maxActions == null || maxActions >= 0), "a summary cannot have fewer than 0 items")
    }

    internal fun toFfi() = FfiSummaryOptions(language, maxPoints.toUInt(), maxActions?.toUInt())
}
