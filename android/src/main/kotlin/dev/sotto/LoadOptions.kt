package dev.sotto

import dev.sotto.internal.FfiBackend
import dev.sotto.internal.FfiLoadOptions
import java.io.File

/** What computes. */
public enum class Backend {
    /** Sotto's own engine. */
    SOTTO,

    /** candle's models: slower, but also Qwen 2 and Qwen 3. */
    CANDLE,
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
 */
public class LoadOptions
@JvmOverloads
constructor(
    public val cacheFolder: File? = null,
    public val contextLength: Int? = null,
    public val threads: Int? = null,
    public val backend: Backend = Backend.SOTTO,
) {
    init {
        require(contextLength == null || contextLength > 0) { "the context length must be at least 1" }
        require(threads == null || threads > 0) { "at least one thread must work" }
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
    )
}

/**
 * How far a long piece of work has come.
 *
 * @property done bytes done.
 * @property total bytes in all.
 */
public data class Progress(public val done: Long, public val total: Long)
