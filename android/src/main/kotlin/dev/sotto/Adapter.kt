package dev.sotto

import dev.sotto.internal.FfiAdapter
import dev.sotto.internal.FfiLoadAdapterJob
import dev.sotto.internal.FfiScaledAdapter

/**
 * A loaded adapter (LoRA): a small change to a model that applies only to selected requests.
 *
 * ```
 * val formal = model.loadAdapter(ModelFile.path(file))
 * model.withAdapters(listOf(ScaledAdapter(formal))).summarize(note)
 * ```
 *
 * @property rank its rank: the largest inner dimension of its changes.
 * @property privateBytes bytes of private memory that it needs, however many requests use it.
 */
public class Adapter internal constructor(private val ffi: FfiAdapter) : AutoCloseable {
    public val rank: Int = ffi.rank().toInt()
    public val privateBytes: Long = ffi.privateBytes().toLong()

    /** Releases the memory once no model or session that uses it is open. Can be called at any time. */
    override fun close(): Unit = ffi.close()

    internal fun scaled(scale: Float): FfiScaledAdapter {
        check(!ffi.uniffiIsDestroyed) { "the adapter is closed" }
        return FfiScaledAdapter(ffi, scale)
    }
}

/**
 * An adapter with its scale.
 *
 * @property adapter the adapter.
 * @property scale the factor for its change to the model: 1 for the trained effect, 0 for none.
 */
@ByValue
public class ScaledAdapter @JvmOverloads constructor(public val adapter: Adapter, public val scale: Float = 1f)

internal fun List<ScaledAdapter>.toFfi() = map { it.adapter.scaled(it.scale) }

internal fun FfiLoadAdapterJob.request(made: (Adapter) -> Unit) =
    Request<Nothing, _>(this, { null }, { Adapter(value()).also(made) }, ::cancel)
