package dev.sotto

import dev.sotto.internal.FfiFileKind
import dev.sotto.internal.FfiFileReport
import dev.sotto.internal.FfiInspectJob

/** What a model file holds. */
public enum class FileKind {
    /** A language model, or whatever says nothing else. */
    MODEL,

    /** A LoRA, which changes another model. */
    ADAPTER,

    /** What turns images or sound into a language model's embeddings. */
    PROJECTOR,

    /** A model that gives vectors for texts, or ranks them. */
    EMBEDDING,

    /** A tokenizer without weights. */
    VOCABULARY,

    /** What guesses for another model. */
    DRAFT,

    /** A model that makes images or videos. */
    IMAGE,

    /** A model that hears or speaks. */
    SPEECH,

    /** Data for other programs. */
    DATA,
}

/**
 * The private memory that a context takes.
 *
 * @property contextLength its length in tokens.
 * @property cacheBytes that of the KV cache.
 * @property privateBytes that of KV cache and scratch together.
 * @property fits whether this, and the copied weights, can be had now.
 */
public data class ContextMemory(
    public val contextLength: Int,
    public val cacheBytes: Long,
    public val privateBytes: Long,
    public val fits: Boolean,
)

/**
 * What a file is, and what it would take to run its model.
 *
 * @property kind what the file holds.
 * @property whyNot why the model cannot be loaded here, and what to do; null when it can.
 * @property warnings what is odd about a model that runs here, and what comes of it: its tokenizer, or a chat template that
 *   cannot be read.
 * @property name its name, if the file gives one.
 * @property architecture its architecture, as GGUF names it.
 * @property adapterRank the largest rank of an adapter's changes; null of anything else.
 * @property parameters weights in all.
 * @property files files that it is in: more than one of a split model.
 * @property fileBytes bytes of the file, or of all files.
 * @property packed whether the file is packed.
 * @property weights weights by quantization.
 * @property tokenizer the kind of tokenizer, and its pre-tokenizer; empty without one.
 * @property vocabSize tokens in the vocabulary, if the file tells them.
 * @property hasChatTemplate whether the file brings its own chat template.
 * @property tuned whether it was trained on Sotto's own task formats.
 * @property contextLength tokens that the model can be asked to hold, if the file says so.
 * @property mappedBytes mapped memory that the loaded weights would take.
 * @property copiedBytes private memory that they would take: none, if the file is packed or there is a folder for packed
 *   copies.
 * @property contexts what contexts take beside the weights, shortest first: 2,048 tokens, 8,192, the model's own, and the one
 *   that was asked for.
 * @property availableBytes memory that the system can give now, where it says so.
 */
public data class FileReport(
    public val kind: FileKind,
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
