package dev.sotto

/**
 * A value extracted from a text.
 *
 * @property value the value; it fits the schema.
 * @property metrics time, tokens and memory it took.
 */
@ByValue
public class Extraction<out T>(public val value: T, public val metrics: Metrics)
