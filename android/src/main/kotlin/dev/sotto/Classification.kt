package dev.sotto

import dev.sotto.internal.FfiClassification
import dev.sotto.internal.FfiLabel
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.KSerializer

/**
 * A label that a text can get.
 *
 * @property name its name: one or a few words, as the model would write it.
 * @property description a description for the model: when the label fits.
 */
@ByValue
public class Label @JvmOverloads constructor(public val name: String, public val description: String? = null)

/**
 * The label of a text.
 *
 * @property label the name of the most probable label.
 * @property confidence its probability among the given labels, 0 to 1.
 * @property scores the name of each label with its probability, in the given order. The probabilities add up to 1.
 * @property abstained whether [confidence] is below the requested minimum.
 * @property metrics time, tokens and memory it took.
 */
@ByValue
public class Classification(
    public val label: String,
    public val confidence: Double,
    public val scores: Map<String, Double>,
    public val abstained: Boolean,
    public val metrics: Metrics,
)

internal fun FfiClassification.toClassification() =
    Classification(label, confidence, scores.associate { it.label to it.probability }, abstained, metrics.toMetrics())

/** The labels that the constants of an enum class stand for. */
@OptIn(ExperimentalSerializationApi::class)
internal fun <E : Enum<E>> labelsOf(entries: List<E>, serializer: KSerializer<E>): List<Label> {
    val described = serializer.descriptor
    return entries.map {
        Label(described.getElementName(it.ordinal), described.getElementAnnotations(it.ordinal).description())
    }
}

/** The constant of an enum class that [classify] chooses; null if it abstains. */
internal suspend fun <E : Enum<E>> constantOf(
    entries: List<E>,
    serializer: KSerializer<E>,
    classify: suspend (List<Label>) -> Classification,
): E? {
    val labels = labelsOf(entries, serializer)
    val result = classify(labels)
    return if (result.abstained) null else entries[labels.indexOfFirst { it.name == result.label }]
}

internal fun Label.toFfi() = FfiLabel(name, description)
