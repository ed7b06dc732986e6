package dev.sotto

import dev.sotto.internal.FfiException

/**
 * The result for one text of a list: a value, or the reason why there is none.
 *
 * @property value the value; null if there is none.
 * @property error why there is no value; null if there is one.
 */
public class TextResult<out T> private constructor(public val value: T?, public val error: SottoException?) {
    /** The value; throws [error] if there is none. */
    public fun valueOrThrow(): T = if (error != null) throw error else checkNotNull(value)

    /** The same result with another value. [transform] may refuse it with a [SottoException]. */
    internal fun <R> map(transform: (T) -> R): TextResult<R> = try {
        if (value == null) TextResult(null, error) else of(transform(value))
    } catch (refused: SottoException) {
        of(refused)
    }

    internal companion object {
        fun <T> of(value: T): TextResult<T> = TextResult(value, null)

        fun <T> of(error: SottoException): TextResult<T> = TextResult(null, error)
    }
}

/** The next result of a list; null at the end. An error is that text's alone. */
internal suspend fun <Native : Any, T> textResult(next: suspend () -> Native?, convert: (Native) -> T): TextResult<T>? = try {
    next()?.let { TextResult.of(convert(it)) }
} catch (error: FfiException) {
    TextResult.of(error.toSotto())
}
