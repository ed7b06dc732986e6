package dev.sotto

/**
 * A value read out of a text.
 *
 * @property value the value; it fits the schema.
 * @property metrics what it cost.
 */
public data class Extraction<out T>(public val value: T, public val metrics: Metrics)
