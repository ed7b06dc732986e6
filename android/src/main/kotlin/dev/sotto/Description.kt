package dev.sotto

import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerialInfo

/**
 * What a model is told about a property or class that it extracts, or about a constant of an enum class that it chooses as a label.
 *
 * ```
 * @Serializable
 * class Errand(val task: String, @Description("when it has to be done, as it was said") val due: String?)
 * ```
 *
 * The class must be `@Serializable`. A tuned model, such as the demo model, reads names only.
 *
 * @property text a few words, without line breaks.
 */
@OptIn(ExperimentalSerializationApi::class)
@SerialInfo
@Target(AnnotationTarget.PROPERTY, AnnotationTarget.CLASS, AnnotationTarget.FIELD)
public annotation class Description(public val text: String)

internal fun List<Annotation>.description(): String? = filterIsInstance<Description>().firstOrNull()?.text
