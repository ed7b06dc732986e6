package dev.sotto

import dev.sotto.internal.FfiSummaryOptions

/**
 * Options for a summary.
 *
 * @property language the language of title and overview, by its English name (`"German"`); `null` for the note's own.
 *   Points and actions are always quoted from the note. A model that is tuned for notes also copies title and overview,
 *   so it ignores this.
 * @property maxPoints the maximum number of points. If a note has more, those about its main topics are kept.
 * @property maxActions the maximum number of actions; `null` for all. If a note has more, those with a due date or an
 *   owner are kept first.
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

    /** These options, with changes: `options.copy { language = … }`. */
    public fun copy(change: Builder.() -> Unit): SummaryOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [SummaryOptions]. */
    public class Builder internal constructor(from: SummaryOptions) {
        public var language: String? = from.language
        public var maxPoints: Int = from.maxPoints
        public var maxActions: Int? = from.maxActions

        internal fun build() = SummaryOptions(language, maxPoints, maxActions)
    }

    internal fun toFfi() = FfiSummaryOptions(language, maxPoints.toUInt(), maxActions?.toUInt())
}
