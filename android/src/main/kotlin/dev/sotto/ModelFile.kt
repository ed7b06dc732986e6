package dev.sotto

import dev.sotto.internal.FfiModelFile
import java.io.File

/**
 * Where a model is: a GGUF file, any part of a split one (`NAME-00001-of-00003.gguf`), or a packed one. It must not be
 * changed while a model is loaded from it.
 */
public class ModelFile private constructor(internal val ffi: FfiModelFile) {
    /**
     * Reports on the file, and on the memory that its model would take if it were loaded with [options]. Nothing is
     * loaded. Files that are not models or cannot run are reported on, too: [FileReport.whyNot] says why.
     */
    public suspend fun inspect(options: LoadOptions = LoadOptions()): FileReport = valueOf {
        javaLoad
        dev.sotto.internal.inspect(ffi, options.toFfi()).request()
    }

    /** How to name a model file. */
    public companion object {
        /** The model at [path]. */
        @JvmStatic
        public fun path(path: String): ModelFile = ModelFile(FfiModelFile.Path(path))

        /** The model in [file]. */
        @JvmStatic
        public fun path(file: File): ModelFile = path(file.path)

        /**
         * The model in an open file: from byte [offset] on, [length] bytes or up to the file's end. The [descriptor] stays
         * yours: close it when [LocalModel.load] has returned. Where [offset] is a multiple of 4, a packed file is mapped, not copied.
         *
         * @throws SottoException.InvalidInput for a negative [offset] or [length].
         */
        @JvmStatic
        @JvmOverloads
        public fun descriptor(descriptor: Int, offset: Long = 0, length: Long? = null): ModelFile {
            val isPart = offset >= 0 && (length == null || length >= 0)
            requireInput(isPart, "a part of a file has no negative offset or length")
            return ModelFile(FfiModelFile.Descriptor(descriptor, offset.toULong(), length?.toULong()))
        }
    }
}
