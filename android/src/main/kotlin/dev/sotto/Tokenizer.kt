package dev.sotto

import dev.sotto.internal.FfiLoadTokenizerJob
import dev.sotto.internal.FfiTokenizer
import dev.sotto.internal.loadTokenizer

/**
 * A model's tokenizer without the model. It needs only the vocabulary of a model file, of any architecture.
 *
 * Safe to use from any thread. A page of text takes about a millisecond. Tokenize a book off the main thread.
 *
 * ```
 * Tokenizer.load(ModelFile.path(file)).use { it.tokenCount(draft) }
 * ```
 */
public class Tokenizer private constructor(private val ffi: FfiTokenizer) : AutoCloseable {
    /** The token ids of a text. Text is never read as control tokens, whatever it contains, and none are added. */
    public fun encode(text: String): List<Int> = translated { open().encode(text).map { it.toInt() } }

    /** The text of token ids. Control tokens and unknown ids produce no text. */
    public fun decode(ids: List<Int>): String = translated { open().decode(ids.map { it.toUInt() }) }

    /** The number of tokens that [encode] returns for a text. */
    public fun tokenCount(text: String): Int = translated { open().tokenCount(text).toInt() }

    /** A token in readable form: its text, or the name of a control token. */
    public fun tokenText(id: Int): String = translated { open().tokenText(id.toUInt()) }

    /** Releases the memory. */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiTokenizer {
        check(!ffi.uniffiIsDestroyed) { "the tokenizer is closed" }
        return ffi
    }

    /** Loads tokenizers. */
    public companion object {
        /** Loads the tokenizer of a model file. */
        public suspend fun load(file: ModelFile): Tokenizer = closingUnlessDelivered { made ->
            valueOf {
                javaLoad
                loadTokenizer(file.ffi).request(made)
            }
        }

        private fun FfiLoadTokenizerJob.request(made: (Tokenizer) -> Unit) =
            Request<Nothing, _>(this, { null }, { Tokenizer(value()).also(made) }, ::cancel)
    }
}
