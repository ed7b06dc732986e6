@file:JvmName("PersonalModels")
@file:JvmMultifileClass

package dev.sotto

import dev.sotto.internal.FfiEmbedAllJob
import dev.sotto.internal.FfiEmbedJob
import dev.sotto.internal.FfiEmbedder
import dev.sotto.internal.FfiEmbedderMemoryJob
import dev.sotto.internal.FfiEmbedding
import dev.sotto.internal.FfiEmbeddingMemory
import dev.sotto.internal.FfiLoadEmbedderJob
import dev.sotto.internal.embedderMemoryOf
import dev.sotto.internal.loadEmbedder
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * A text's vector.
 *
 * @property values the vector; its length is 1, so the dot product of two vectors is the cosine of their angle.
 * @property tokens the number of tokens that were read.
 * @property truncated whether the text is longer than the model's limit: then only its beginning was read.
 */
public class Embedding(public val values: FloatArray, public val tokens: Int, public val truncated: Boolean) {
    /** How alike two texts are: 1 for equal ones, around 0 for unrelated ones. Both vectors must be of the same model. */
    public fun similarity(other: Embedding): Float {
        requireInput(values.size == other.values.size, "the vectors are of different models")
        var sum = 0f
        for (index in values.indices) sum += values[index] * other.values[index]
        return sum
    }
}

/**
 * Private memory that an embedding model takes.
 *
 * @property weights bytes of the weights and, estimated, the vocabulary.
 * @property pass bytes of each request while it runs, at most.
 * @property available bytes that the system can give now, where it says so.
 */
@ByValue
public class EmbeddingMemory(public val weights: Long, public val pass: Long, public val available: Long?)

/**
 * An embedding model (BERT) that is ready to be used, from any thread.
 *
 * ```
 * val embedder = Embedder.load(ModelFile.path(folder))
 * val similarity = embedder.embed("Buy milk.").similarity(embedder.embed("We are out of bread."))
 * ```
 */
public class Embedder private constructor(private val ffi: FfiEmbedder) : AutoCloseable {
    /** What it takes. */
    public val memory: EmbeddingMemory
        get() = translated { open().memory().toMemory() }

    /** How many numbers a vector has. */
    public val dimensions: Int
        get() = translated { open().dimensions().toInt() }

    /** The maximum number of tokens of a text that are read, with two that the model adds. */
    public val maxTokens: Int
        get() = translated { open().maxTokens().toInt() }

    /** The vector of a text. Of a text that is too long, the beginning is read, and [Embedding.truncated] says so. */
    public suspend fun embed(text: String): Embedding = valueOf { open().embed(text).request() }

    /** The vectors of texts, in their order, as [embed] gives them. Short texts are computed together, which is faster. */
    public suspend fun embedAll(texts: List<String>): List<Embedding> = valueOf { open().embedAll(texts).request() }

    /** Releases the memory, once no request runs any more. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    internal fun open(): FfiEmbedder {
        check(!ffi.uniffiIsDestroyed) { "the embedding model is closed" }
        return ffi
    }

    /** Loads embedding models. */
    public companion object {
        /**
         * Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`, as sentence-transformers writes it. [threads]
         * compute; one for each fast core where it is `null`.
         */
        public suspend fun load(folder: ModelFile, threads: Int? = null): Embedder {
            requireInput(threads == null || threads > 0, "at least one thread has to compute")
            return closingUnlessDelivered { made ->
                valueOf {
                    javaLoad
                    loadEmbedder(folder.ffi, threads?.toUInt()).request(made)
                }
            }
        }

        /** The memory that the model in [folder] would take. Nothing but its description is read. */
        public suspend fun memoryOf(folder: ModelFile): EmbeddingMemory = valueOf {
            javaLoad
            embedderMemoryOf(folder.ffi).request()
        }

        private fun FfiLoadEmbedderJob.request(made: (Embedder) -> Unit) =
            Request<Nothing, _>(this, { null }, { Embedder(value()).also(made) }, ::cancel)

        private fun FfiEmbedderMemoryJob.request() = Request<Nothing, _>(this, { null }, { value().toMemory() }, ::cancel)

        private fun FfiEmbeddingMemory.toMemory() = EmbeddingMemory(weights.toLong(), pass.toLong(), available?.toLong())
    }
}

internal fun FfiEmbedJob.request() = Request<Nothing, _>(this, { null }, { value().toEmbedding() }, ::cancel)

private fun FfiEmbedAllJob.request() = Request<Nothing, _>(this, { null }, { value().all.map { it.toEmbedding() } }, ::cancel)

private fun FfiEmbedding.toEmbedding(): Embedding {
    val numbers = FloatArray(values.size / Float.SIZE_BYTES)
    ByteBuffer.wrap(values).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(numbers)
    return Embedding(numbers, tokens.toInt(), truncated)
}

/**
 * The vector of a text where no embedding model is at hand: the mean of the model's hidden states, with a length of 1. It is slower
 * to compute than an [Embedder]'s, and says less about what a text means.
 */
public suspend fun LocalModel.embed(text: String): Embedding = valueOf { open().embed(text).request() }
