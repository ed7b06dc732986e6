package dev.sotto

import dev.sotto.internal.FfiModelReport
import dev.sotto.internal.FfiWeights

/**
 * The weights of one quantization.
 *
 * @property quantization its name, as GGUF has it.
 * @property tensors how many tensors.
 * @property bytes their size in bytes.
 * @property packedAs the wider format that they are packed into without loss, if there are no kernels for this format.
 */
@ByValue
public class Weights(
    public val quantization: String,
    public val tensors: Int,
    public val bytes: Long,
    public val packedAs: String? = null,
)

internal fun FfiWeights.toWeights(): Weights = Weights(quantization, tensors.toInt(), bytes.toLong(), packedAs)

/**
 * What is known about a loaded model.
 *
 * @property name its name, if the file has one.
 * @property architecture its architecture, by its GGUF name.
 * @property parameters number of parameters.
 * @property layers number of transformer layers.
 * @property hiddenSize width of the residual stream.
 * @property feedForwardSize width of the feed-forward layer.
 * @property heads number of query heads.
 * @property kvHeads number of key and value heads.
 * @property headSize width of a head.
 * @property modelContextLength the model's maximum context length in tokens.
 * @property vocabSize number of tokens in the vocabulary.
 * @property fileBytes size of the file in bytes.
 * @property weights weights by quantization.
 * @property tokenizer the kind of tokenizer, and its pre-tokenizer.
 * @property hasChatTemplate whether the file contains a chat template.
 * @property tuned whether it was trained on Sotto's own task formats.
 * @property kernels the instruction set in use.
 * @property threads number of threads.
 * @property contextLength the context length that the memory figures refer to.
 * @property privateBytes private memory for that context.
 * @property copiedBytes private memory of the weights; 0 for a packed file.
 * @property mappedBytes mapped memory: clean pages of the file.
 * @property availableBytes memory that is available now, if the system reports it.
 * @property fits whether that much private memory is available now.
 */
@ByValue
public class ModelReport(
    public val name: String?,
    public val architecture: String,
    public val parameters: Long,
    public val layers: Int,
    public val hiddenSize: Int,
    public val feedForwardSize: Int,
    public val heads: Int,
    public val kvHeads: Int,
    public val headSize: Int,
    public val modelContextLength: Int,
    public val vocabSize: Int,
    public val fileBytes: Long,
    public val weights: List<Weights>,
    public val tokenizer: String,
    public val hasChatTemplate: Boolean,
    public val tuned: Boolean,
    public val kernels: String,
    public val threads: Int,
    public val contextLength: Int,
    public val privateBytes: Long,
    public val copiedBytes: Long,
    public val mappedBytes: Long,
    public val availableBytes: Long?,
    public val fits: Boolean,
)

internal fun FfiModelReport.toReport() = ModelReport(
    name = name,
    architecture = architecture,
    parameters = parameters.toLong(),
    layers = layers.toInt(),
    hiddenSize = hiddenSize.toInt(),
    feedForwardSize = feedForwardSize.toInt(),
    heads = heads.toInt(),
    kvHeads = kvHeads.toInt(),
    headSize = headSize.toInt(),
    modelContextLength = modelContextLength.toInt(),
    vocabSize = vocabSize.toInt(),
    fileBytes = fileBytes.toLong(),
    weights = weights.map { it.toWeights() },
    tokenizer = tokenizer,
    hasChatTemplate = hasChatTemplate,
    tuned = tuned,
    kernels = kernels,
    threads = threads.toInt(),
    contextLength = contextLength.toInt(),
    privateBytes = privateBytes.toLong(),
    copiedBytes = copiedBytes.toLong(),
    mappedBytes = mappedBytes.toLong(),
    availableBytes = availableBytes?.toLong(),
    fits = fits,
)
