package dev.sotto.sample

import dev.sotto.LoadOptions
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.SottoException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import java.io.InputStream

/** The models of this device: the demo model, and one that the person has chosen. */
class ModelShelf(private val folder: File) {
    private val chosen = File(folder, "chosen.gguf")
    private val demo = File(folder, "demo.gguf")

    val hasChosen get() = chosen.exists()

    /** Loads the chosen model. */
    suspend fun chosen(): LocalModel = load(chosen)

    /** Takes a copy of the model in [source], of [size] bytes if that is known, as the chosen one, and loads it. */
    suspend fun choose(source: () -> InputStream, size: Long?, onProgress: (Float) -> Unit): LocalModel {
        copy(source, chosen) { copied -> if (size != null && size > 0) onProgress(copied.toFloat() / size) }
        try {
            return load(chosen)
        } catch (error: SottoException) {
            // It would fail at the next start, too.
            chosen.delete()
            throw error
        }
    }

    /** Loads the demo model, copied from the app's own files, and forgets the chosen one. */
    suspend fun demo(source: () -> InputStream): LocalModel {
        chosen.delete()
        if (!demo.exists()) copy(source, demo) {}
        return load(demo)
    }

    private suspend fun load(file: File) = LocalModel.load(ModelFile.path(file), LoadOptions(cacheFolder = folder))

    /** [target] appears whole or not at all. */
    private suspend fun copy(source: () -> InputStream, target: File, onProgress: (Long) -> Unit) =
        withContext(Dispatchers.IO) {
            folder.mkdirs()
            val partial = File(folder, "${target.name}.part")
            try {
                source().use { input ->
                    partial.outputStream().use { output ->
                        val buffer = ByteArray(1 shl 20)
                        var copied = 0L
                        while (true) {
                            ensureActive()
                            val count = input.read(buffer)
                            if (count < 0) break
                            output.write(buffer, 0, count)
                            copied += count
                            onProgress(copied)
                        }
                    }
                }
                if (!partial.renameTo(target)) throw IOException("the copy cannot be renamed")
            } finally {
                partial.delete()
            }
        }
}
