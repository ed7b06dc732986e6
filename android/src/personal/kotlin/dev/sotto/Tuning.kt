@file:JvmName("PersonalModels")
@file:JvmMultifileClass

package dev.sotto

import dev.sotto.internal.FfiTuneJob
import dev.sotto.internal.FfiTuneOptions
import java.io.File

/**
 * How to train an adapter.
 *
 * @property seconds how long it may take; `null` for as long as it needs.
 * @property epochs how often each text is read, if there is time.
 * @property rank how many numbers each change goes through, from 1 to 256.
 * @property learningRate the highest learning rate.
 * @property margin by how many nats a token held-out texts must become likelier.
 * @property generalMargin by how many nats a token general text may become less likely.
 * @property checkpoint a file to go on from when the app was closed or the training cancelled; it is removed in the end.
 * @throws SottoException.InvalidInput for a number below 1 of [epochs] or [rank].
 */
public class TuneOptions
@JvmOverloads
constructor(
    public val seconds: Double? = null,
    public val epochs: Int = 8,
    public val rank: Int = 16,
    public val learningRate: Float = 5e-4f,
    public val margin: Double = 0.05,
    public val generalMargin: Double = 0.05,
    public val checkpoint: File? = null,
) {
    init {
        requireInput(epochs > 0 && rank > 0, "epochs and rank must be at least 1")
    }

    /** These options, with changes: `options.copy { seconds = … }`. */
    public fun copy(change: Builder.() -> Unit): TuneOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [TuneOptions]. */
    public class Builder internal constructor(from: TuneOptions) {
        public var seconds: Double? = from.seconds
        public var epochs: Int = from.epochs
        public var rank: Int = from.rank
        public var learningRate: Float = from.learningRate
        public var margin: Double = from.margin
        public var generalMargin: Double = from.generalMargin
        public var checkpoint: File? = from.checkpoint

        internal fun build() = TuneOptions(seconds, epochs, rank, learningRate, margin, generalMargin, checkpoint)
    }

    internal fun toFfi() = FfiTuneOptions(
        seconds = seconds,
        epochs = epochs.toUInt(),
        rank = rank.toUInt(),
        learningRate = learningRate,
        margin = margin,
        generalMargin = generalMargin,
        checkpoint = checkpoint?.path,
    )
}

/**
 * How far a training has come.
 *
 * @property step steps done.
 * @property steps all steps.
 * @property tokens tokens read so far.
 * @property loss the loss of the last step's texts, in nats per token.
 * @property secondsLeft an estimate of what is left.
 */
@ByValue
public class TuneProgress(
    public val step: Int,
    public val steps: Int,
    public val tokens: Long,
    public val loss: Double,
    public val secondsLeft: Double,
)

/**
 * What came of a training. Losses are in nats per token.
 *
 * @property kept whether the adapter was good enough, and was written.
 * @property strength what its change was multiplied with to spare general text: 1 if that was not needed.
 * @property heldOutBefore the loss of held-out texts without the adapter.
 * @property heldOutAfter the loss of held-out texts with it.
 * @property generalBefore the loss of general text without the adapter.
 * @property generalAfter the loss of general text with it.
 * @property steps steps done.
 * @property tokens tokens read.
 * @property seconds how long it took, judging not counted.
 */
@ByValue
public class TuneReport(
    public val kept: Boolean,
    public val strength: Float,
    public val heldOutBefore: Double,
    public val heldOutAfter: Double,
    public val generalBefore: Double,
    public val generalAfter: Double,
    public val steps: Int,
    public val tokens: Long,
    public val seconds: Double,
)

internal fun FfiTuneJob.request() = Request(
    this,
    { next()?.run { TuneProgress(step.toInt(), steps.toInt(), tokens.toLong(), loss, secondsLeft) } },
    {
        value().run {
            TuneReport(
                kept = kept,
                strength = strength,
                heldOutBefore = heldOutBefore,
                heldOutAfter = heldOutAfter,
                generalBefore = generalBefore,
                generalAfter = generalAfter,
                steps = steps.toInt(),
                tokens = tokens.toLong(),
                seconds = seconds,
            )
        }
    },
    ::cancel,
)

/**
 * Learns how [texts] are written: trains an adapter (LoRA) of this model and writes it to [target], for [LocalModel.loadAdapter],
 * if texts that it was not shown became likelier and general text did not become much less likely. Otherwise what was at [target] stays, and the report says what was found.
 */
public fun LocalModel.tune(
    texts: List<String>,
    target: File,
    options: TuneOptions = TuneOptions(),
): SottoTask<TuneProgress, TuneReport> = taskOf { open().tune(texts, target.path, options.toFfi()).request() }
