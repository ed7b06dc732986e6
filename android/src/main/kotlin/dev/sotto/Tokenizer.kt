package dev.sotto

import dev.sotto.internal.FfiLoadTokenizerJob
import dev.sotto.internal.FfiTokenizer
import dev.sotto.internal.loadTokenizer

/**
 * A model's tokenizer without the model: it needs no more than the vocabulary of a model file, of whatever architecture.
 *
 * Safe to use from any thread. A page of text takes a millisecond or so; a book is better tokenized away from the main
 * thread.
 *
 * ```
 * Tokenizer.load(ModelFile.path(file)).use { it.tokenCount(draft) }
 * ```
 */
public class Tokenizer private constructor(private val ffi: FfiTokenizer) : AutoCloseable {
    /** The token ids of a text. Control tokens are never read from it, whatever it contains, and none is added. */
    public fun encode(text: String): List<Int> = translated { open().encode(text).map { it.toInt() } }

    /** The text of token ids. Control tokens, and ids that no token has, give none. */
    public fun decode(ids: List<Int>): String = translated { open().decode(ids.map { it.toUInt() }) }

    /** How many tokens a text has, as [encode] gives them. */
    public fun tokenCount(text: String): Int = translated { open().tokenCount(text).toInt() }

    /** A token as a person may read it: its text, or the name of a control token. */
    public fun tokenText(id: Int): String = translated { open().tokenText(id.toUInt()) }

    /** Gives the memory back. */
    override fun close(): Unit = ffi.close()

    private fun open(): FfiTokenizer {
        check(!ffi.uniffiIsDestroyed) { "the tokenizer is closed" }
        return ffi
    }

    /** How to get a tokenizer. */
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
