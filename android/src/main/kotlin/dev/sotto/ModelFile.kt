package dev.sotto

import dev.sotto.internal.FfiModelFile
import java.io.File

/** Where a model is: a GGUF file, or a packed one. It must not be changed while a model is loaded from it. */
public class ModelFile private constructor(internal val ffi: FfiModelFile) {
    /** How to name a model file. */
    public companion object {
        /** The model at [path]. */
        @JvmStatic
        public fun path(path: String): ModelFile = ModelFile(FfiModelFile.Path(path))

        /** The model in [file]. */
        @JvmStatic
        public fun path(file: File): ModelFile = path(file.path)
    }
}
