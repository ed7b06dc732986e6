package dev.sotto

import dev.sotto.internal.FfiFileKind
import dev.sotto.internal.FfiFileReport
import dev.sotto.internal.FfiFit
import dev.sotto.internal.FfiInspectJob

/** A kind of model file. */
public enum class FileKind {
    /** A language model, or a file of unknown kind. */
    MODEL,

    /** A LoRA, which changes another model. */
    ADAPTER,

    /** A projector, which turns images or sound into a language model's embeddings. */
    PROJECTOR,

    /** A model that embeds or ranks texts. */
    EMBEDDING,

    /** A tokenizer without weights. */
    VOCABULARY,

    /** A draft head, which drafts tokens for another model. */
    DRAFT,

    /** A model that generates images or videos. */
    IMAGE,

    /** A model for speech recognition or synthesis. */
    SPEECH,

    /** Data for other programs. */
    DATA,
}

/** Whether a model can run on this device now. */
public enum class Fit {
    /** Enough memory is available for the context and all weights. */
    FITS,

    /**
     * There is enough private memory, but not enough for all mapped weights beside it: for each token, some of them are
     * read from storage again, and answers are slow. Use a smaller model, or a stronger quantization.
     */
    TIGHT,

    /** There is not enough private memory. Use a shorter context, a folder for packed copies, or a smaller model. */
    TOO_LARGE,

    /** The file cannot be run at all; [FileReport.whyNot] says why. */
    UNSUPPORTED,
}

/**
 * The private memory that a context needs.
 *
 * @property contextLength its length in tokens.
 * @property cacheBytes memory of the KV cache.
 * @property privateBytes memory of KV cache and scratch space together.
 * @property fits whether enough memory is available now for this and the copied weights.
 */
@ByValue
public class ContextMemory(
    public val contextLength: Int,
    public val cacheBytes: Long,
    public val privateBytes: Long,
    public val fits: Boolean,
)

/**
 * What a file is, and how much memory its model would need.
 *
 * @property kind the kind of file.
 * @property fit whether the model can run here now, with the context that it was asked for.
 * @property whyNot why the model cannot be loaded here, and what to do; null when it can.
 * @property warnings problems of a model that runs here, and their consequences: an unusual tokenizer, or a chat
 *   template that cannot be read.
 * @property name its name, if the file has one.
 * @property architecture its architecture, by its GGUF name.
 * @property adapterRank the largest rank of an adapter's changes; null for other files.
 * @property parameters number of parameters.
 * @property files number of files: more than one for a split model.
 * @property fileBytes size of the file, or of all files, in bytes.
 * @property packed whether the file is packed.
 * @property weights weights by quantization.
 * @property tokenizer the kind of tokenizer, and its pre-tokenizer; empty without one.
 * @property vocabSize number of tokens in the vocabulary, if the file states it.
 * @property hasChatTemplate whether the file contains a chat template.
 * @property tuned whether it was trained on Sotto's own task formats.
 * @property contextLength the model's maximum context length in tokens, if the file states it.
 * @property mappedBytes mapped memory that the loaded weights would need.
 * @property copiedBytes private memory that they would need; 0 if the file is packed or there is a folder for packed
 *   copies.
 * @property contexts memory for contexts, in addition to the weights, shortest first: 2,048 tokens, 8,192, the model's
 *   maximum, and the length that the options ask for (by default 4,096, or the maximum if that is shorter).
 * @property availableBytes memory that is available now, if the system reports it.
 */
@ByValue
public class FileReport(
    public val kind: FileKind,
    public val fit: Fit,
    public val whyNot: String?,
    public val warnings: List<String>,
    public val name: String?,
    public val architecture: String?,
    public val adapterRank: Int?,
    public val parameters: Long,
    public val files: Int,
    public val fileBytes: Long,
    public val packed: Boolean,
    public val weights: List<Weights>,
    public val tokenizer: String,
    public val vocabSize: Int?,
    public val hasChatTemplate: Boolean,
    public val tuned: Boolean,
    public val contextLength: Int?,
    public val mappedBytes: Long,
    public val copiedBytes: Long,
    public val contexts: List<ContextMemory>,
    public val availableBytes: Long?,
)

internal fun FfiInspectJob.request() = Request<Nothing, _>(this, { null }, { value().toReport() }, ::cancel)

private fun FfiFileReport.toReport() = FileReport(
    kind = kind.toKind(),
    fit = fit.toFit(),
    whyNot = whyNot,
    warnings = warnings,
    name = name,
    architecture = architecture,
    adapterRank = adapterRank?.toInt(),
    parameters = parameters.toLong(),
    files = files.toInt(),
    fileBytes = fileBytes.toLong(),
    packed = packed,
    weights = weights.map { it.toWeights() },
    tokenizer = tokenizer,
    vocabSize = vocabSize?.toInt(),
    hasChatTemplate = hasChatTemplate,
    tuned = tuned,
    contextLength = contextLength?.toInt(),
    mappedBytes = mappedBytes.toLong(),
    copiedBytes = copiedBytes.toLong(),
    contexts =
    contexts.map {
        ContextMemory(it.contextLength.toInt(), it.cacheBytes.toLong(), it.privateBytes.toLong(), it.fits)
    },
    availableBytes = availableBytes?.toLong(),
)

private fun FfiFit.toFit() = when (this) {
    FfiFit.FITS -> Fit.FITS
    FfiFit.TIGHT -> Fit.TIGHT
    FfiFit.TOO_LARGE -> Fit.TOO_LARGE
    FfiFit.UNSUPPORTED -> Fit.UNSUPPORTED
}

private fun FfiFileKind.toKind() = when (this) {
    FfiFileKind.MODEL -> FileKind.MODEL
    FfiFileKind.ADAPTER -> FileKind.ADAPTER
    FfiFileKind.PROJECTOR -> FileKind.PROJECTOR
    FfiFileKind.EMBEDDING -> FileKind.EMBEDDING
    FfiFileKind.VOCABULARY -> FileKind.VOCABULARY
    FfiFileKind.DRAFT -> FileKind.DRAFT
    FfiFileKind.IMAGE -> FileKind.IMAGE
    FfiFileKind.SPEECH -> FileKind.SPEECH
    FfiFileKind.DATA -> FileKind.DATA
}
