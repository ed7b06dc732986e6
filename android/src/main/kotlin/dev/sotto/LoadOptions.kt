package dev.sotto

import dev.sotto.internal.FfiBackend
import dev.sotto.internal.FfiKvType
import dev.sotto.internal.FfiLoadOptions
import java.io.File

/** What computes. */
public enum class Backend {
    /** Sotto's own engine. */
    SOTTO,

    /** candle's models: slower, and not in the AAR, where this is [SottoException.Unsupported]. */
    CANDLE,
}

/** The number format of what a model remembers of a text: its keys and values. */
public enum class KvType {
    /** Two bytes a value. */
    F16,

    /** Four bytes a value, exact. */
    F32,

    /** One byte a value: half the memory of [F16], and faster in long texts, for a small loss of accuracy. */
    Q8,
}

/**
 * How to load a model.
 *
 * @property cacheFolder where packed copies of model files are kept: `File(context.noBackupFilesDir, "models")`. A packed file is
 *   mapped: it loads faster, and its weights take no private memory. The first load of a GGUF file makes its copy,
 *   which takes as much space as the file; without a folder, every load packs the weights into private memory.
 * @property contextLength the longest context of a request, in tokens; 4,096 if absent, or the model's own when that is less.
 * @property threads how many threads work; as many as the device has performance cores if absent.
 * @property backend what computes.
 * @property kvType the number format of keys and values.
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
) {
    init {
        requireInput(contextLength == null || contextLength > 0, "the context length must be at least 1")
        requireInput(threads == null || threads > 0, "at least one thread must work")
    }

    internal fun toFfi() = FfiLoadOptions(
        backend =
        when (backend) {
            Backend.SOTTO -> FfiBackend.SOTTO
            Backend.CANDLE -> FfiBackend.CANDLE
        },
        threads = threads?.toUInt(),
        cacheFolder = cacheFolder?.path,
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
 * How far a long piece of work has come.
 *
 * @property done bytes done.
 * @property total bytes in all.
 */
public data class Progress(public val done: Long, public val total: Long)
