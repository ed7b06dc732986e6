package dev.sotto

import dev.sotto.internal.FfiClassifier
import dev.sotto.internal.FfiClassifyPersonalJob
import java.time.OffsetDateTime

/**
 * A classifier with a person's own labels, from [Personal.classifier], which learns from corrections. Without examples, it says what the
 * language model says; with each [learn], examples that are alike count more, as far as they are right more often than the model.
 *
 * Safe to use from any thread. The store's file stays open until this is closed, too.
 *
 * ```
 * val feed = personal.classifier("feed", listOf("front", "later", "hide").map { Label(it) })
 * val judged = feed.classify(headline, model, embedder)
 * if (judged.label != wanted) feed.learn(headline, wanted, source = "reader")
 * ```
 */
public class Classifier internal constructor(private val ffi: FfiClassifier) : AutoCloseable {
    /**
     * Learns the label of a text, unless learning is paused. A text that already is an example gets this label instead of the one before.
     * No model is needed: the next classification shows the example to the models.
     *
     * @param source where the text came from, as the user would call it. [Personal.forget] takes it.
     * @throws SottoException.InvalidInput for an empty text or another label than the classifier's.
     */
    public suspend fun learn(
        text: String,
        label: String,
        source: String,
        time: OffsetDateTime = OffsetDateTime.now(),
    ): Personal.Learnt = native { open().learn(text, label, source, time.toFfi()).toLearnt() }

    /**
     * The label of a text: what [model] says, and what examples of similar texts say. Without an [embedder], the language model's own
     * hidden states tell which are similar, which is slower and less exact.
     *
     * Examples that these models have not seen are shown to them first: one that was just learnt, or all if other models saw them.
     * [onProgress] tells how many, on a background thread.
     */
    public suspend fun classify(
        text: String,
        model: LocalModel,
        embedder: Embedder? = null,
        onProgress: suspend (Progress) -> Unit = {},
    ): PersonalClassification = valueOf(onProgress) { open().classify(model.open(), embedder?.open(), text).request() }

    /** Releases the memory, once no request runs any more. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiClassifier {
        check(!ffi.uniffiIsDestroyed) { "the classifier is closed" }
        return ffi
    }
}

/**
 * The label of a text for this person.
 *
 * @property label the name of the most probable label.
 * @property confidence its probability among the given labels, 0 to 1.
 * @property scores the name of each label with its probability, in the given order. The probabilities add up to 1.
 * @property abstained whether [confidence] is below the requested minimum: then the app should ask.
 * @property nearest the most similar examples, the nearest first: the reasons.
 * @property metrics what asking the language model took; `null` if the text is too long for it, so that only the examples count.
 */
@ByValue
public class PersonalClassification(
    public val label: String,
    public val confidence: Double,
    public val scores: Map<String, Double>,
    public val abstained: Boolean,
    public val nearest: List<Example>,
    public val metrics: Metrics?,
) {
    /**
     * An example that is similar to a text.
     *
     * @property id the id of its record.
     * @property text its text.
     * @property label its label.
     * @property similarity 1 for the same text, around 0 for an unrelated one.
     */
    @ByValue
    public class Example(public val id: Long, public val text: String, public val label: String, public val similarity: Float)
}

private fun FfiClassifyPersonalJob.request() = Request(
    this,
    { next()?.toProgress() },
    {
        value().run {
            PersonalClassification(
                label = label,
                confidence = confidence,
                scores = scores.associate { it.label to it.probability },
                abstained = abstained,
                nearest = nearest.map { PersonalClassification.Example(it.id.toLong(), it.text, it.label, it.similarity) },
                metrics = metrics?.toMetrics(),
            )
        }
    },
    ::cancel,
)
