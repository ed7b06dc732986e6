package dev.sotto

import dev.sotto.internal.FfiExtraction

/**
 * A value extracted from a text.
 *
 * @property value the value; it fits the schema.
 * @property metrics time, tokens and memory it took.
 */
@ByValue
public class Extraction<out T>(public val value: T, public val metrics: Metrics)

internal fun FfiExtraction.toExtraction() = Extraction(json, metrics.toMetrics())

internal fun <T, R> Extraction<T>.map(convert: (T) -> R) = Extraction(convert(value), metrics)
