package dev.sotto

import dev.sotto.internal.FfiClassification
import dev.sotto.internal.FfiLabel

/**
 * Something that a text may be sorted under.
 *
 * @property name its name: a word or a few, as the model would write it.
 * @property description when it fits. The model is told.
 */
public data class Label @JvmOverloads constructor(public val name: String, public val description: String? = null)

/**
 * The label of a text.
 *
 * @property label the name of the most probable label.
 * @property confidence its probability among the labels, 0 to 1.
 * @property scores every label's name with its probability, in the order given; they add up to 1.
 * @property abstained whether [confidence] is below the least that was asked for.
 * @property metrics what it cost.
 */
public data class Classification(
    public val label: String,
    public val confidence: Double,
    public val scores: Map<String, Double>,
    public val abstained: Boolean,
    public val metrics: Metrics,
)

internal fun FfiClassification.toClassification() =
    Classification(label, confidence, scores.associate { it.label to it.probability }, abstained, metrics.toMetrics())

internal fun Label.toFfi() = FfiLabel(name, description)
