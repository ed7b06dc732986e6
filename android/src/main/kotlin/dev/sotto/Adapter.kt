package dev.sotto

import dev.sotto.internal.FfiAdapter
import dev.sotto.internal.FfiLoadAdapterJob
import dev.sotto.internal.FfiScaledAdapter

/**
 * An adapter (LoRA) of a model, ready to be used: a small change of it, for some requests and not for others.
 *
 * ```
 * val formal = model.loadAdapter(ModelFile.path(file))
 * model.withAdapters(listOf(ScaledAdapter(formal))).summarize(note)
 * ```
 *
 * @property rank how many numbers its changes go through, at most.
 * @property privateBytes private memory that it takes, however many requests use it.
 */
public class Adapter internal constructor(private val ffi: FfiAdapter) : AutoCloseable {
    public val rank: Int = ffi.rank().toInt()
    public val privateBytes: Long = ffi.privateBytes().toLong()

    /** Gives the memory back, once no model or session with it is open. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    internal fun scaled(scale: Float): FfiScaledAdapter {
        check(!ffi.uniffiIsDestroyed) { "the adapter is closed" }
        return FfiScaledAdapter(ffi, scale)
    }
}

/**
 * An adapter, and how much of it.
 *
 * @property adapter the adapter.
 * @property scale what its change of the model is multiplied with: 1 as it was trained, 0 for nothing.
 */
public data class ScaledAdapter @JvmOverloads constructor(public val adapter: Adapter, public val scale: Float = 1f)

internal fun List<ScaledAdapter>.toFfi() = map { it.adapter.scaled(it.scale) }

internal fun FfiLoadAdapterJob.request(made: (Adapter) -> Unit) =
    Request<Nothing, _>(this, { null }, { Adapter(value()).also(made) }, ::cancel)
