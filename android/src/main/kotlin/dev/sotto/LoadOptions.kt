package dev.sotto

import dev.sotto.internal.FfiBackend
import dev.sotto.internal.FfiKvType
import dev.sotto.internal.FfiLoadOptions
import java.io.File

/** The inference backend. */
public enum class Backend {
    /** Sotto's own engine. */
    SOTTO,

    /** candle's models: slower, and not in the AAR, where this is [SottoException.Unsupported]. */
    CANDLE,
}

/** The number format of the KV cache, in which a model remembers a text. */
public enum class KvType {
    /** Two bytes per value. */
    F16,

    /** Four bytes per value, exact. */
    F32,

    /** One byte per value: half the memory of [F16], and faster in long texts, at a small cost in accuracy. */
    Q8,
}

/**
 * How to load a model.
 *
 * @property cacheFolder the folder for packed copies of model files. A packed file is mapped, so it loads faster and
 *   its weights need no private memory. The first load of a GGUF file makes a packed copy, which needs as much space as
 *   the file. By default the folder `sotto` in the app's `noBackupFilesDir` if [LocalModel.load] has a context. Without
 *   a folder, every load packs the weights into private memory.
 * @property deleteSourceAfterPacking whether the model file is deleted as soon as its packed copy is complete and on the disk. Later loads
 *   find the copy by the path of the file that is gone. It needs a [cacheFolder], and a file with a path.
 * @property contextLength the maximum context length of a request, in tokens; by default 4,096, or the model's own if
 *   that is shorter.
 * @property threads number of threads; by default one per performance core.
 * @property backend the inference backend.
 * @property kvType the number format of the KV cache.
 * @throws SottoException.InvalidInput for a [contextLength] or [threads] below 1.
 */
public class LoadOptions
@JvmOverloads
constructor(
    public val cacheFolder: File? = null,
    public val contextLength: Int? = null,
    public val threads: Int? = null,
    public val backend: Backend = Backend.SOTTO,
    public val kvType: KvType = KvType.F16,
    public val deleteSourceAfterPacking: Boolean = false,
) {
    init {
        requireInput(contextLength == null || contextLength > 0, "the context length must be at least 1")
        requireInput(threads == null || threads > 0, "at least one thread must work")
    }

    /** These options, with [folder] for packed copies if they name none. */
    internal fun cachedIn(folder: File) = copy { cacheFolder = cacheFolder ?: folder }

    /** These options, with changes: `options.copy { cacheFolder = … }`. */
    public fun copy(change: Builder.() -> Unit): LoadOptions = Builder(this).apply(change).build()

    /** What [copy] changes: the properties of [LoadOptions]. */
    public class Builder internal constructor(from: LoadOptions) {
        public var cacheFolder: File? = from.cacheFolder
        public var contextLength: Int? = from.contextLength
        public var threads: Int? = from.threads
        public var backend: Backend = from.backend
        public var kvType: KvType = from.kvType
        public var deleteSourceAfterPacking: Boolean = from.deleteSourceAfterPacking

        internal fun build() = LoadOptions(cacheFolder, contextLength, threads, backend, kvType, deleteSourceAfterPacking)
    }

    internal fun toFfi() = FfiLoadOptions(
        backend =
        when (backend) {
            Backend.SOTTO -> FfiBackend.SOTTO
            Backend.CANDLE -> FfiBackend.CANDLE
        },
        threads = threads?.toUInt(),
        cacheFolder = cacheFolder?.path,
        deleteSourceAfterPacking = deleteSourceAfterPacking,
        contextLength = contextLength?.toUInt(),
        kvType =
        when (kvType) {
            KvType.F16 -> FfiKvType.F16
            KvType.F32 -> FfiKvType.F32
            KvType.Q8 -> FfiKvType.Q8
        },
    )
}

/**
 * Progress of a long operation.
 *
 * @property done bytes done.
 * @property total bytes in all.
 */
@ByValue
public class Progress(public val done: Long, public val total: Long)
