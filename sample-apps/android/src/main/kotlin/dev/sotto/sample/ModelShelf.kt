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

    val hasChosen get() = chosen.exists()

    /** Loads the chosen model. */
    suspend fun chosen(): LocalModel = load(ModelFile.path(chosen))

    /** Takes a copy of the model in [source], of [size] bytes if that is known, as the chosen one, and loads it. */
    suspend fun choose(source: () -> InputStream, size: Long?, onProgress: (Float) -> Unit): LocalModel {
        copy(source, chosen) { copied -> if (size != null && size > 0) onProgress(copied.toFloat() / size) }
        try {
            return chosen()
        } catch (error: SottoException) {
            // It would fail at the next start, too.
            chosen.delete()
            throw error
        }
    }

    /** Loads the demo model from where it lies, and forgets the chosen one. */
    suspend fun demo(file: ModelFile): LocalModel {
        chosen.delete()
        return load(file)
    }

    private suspend fun load(file: ModelFile) = LocalModel.load(file, LoadOptions(cacheFolder = folder))

    /** [target] appears whole or not at all. It is a copy, since a document may lie in the cloud, and be gone tomorrow. */
    private suspend fun copy(source: () -> InputStream, target: File, onProgress: (Long) -> Unit) =
        withContext(Dispatchers.IO) {
            folder.mkdirs()
            val partial = File(folder, "${target.name}.part")
            try {
                source().use { input ->
                    storing { partial.outputStream() }.use { output ->
                        val buffer = ByteArray(1 shl 20)
                        var copied = 0L
                        while (true) {
                            ensureActive()
                            val count = input.read(buffer)
                            if (count < 0) break
                            storing { output.write(buffer, 0, count) }
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

/** A file of the app's own cannot be written: the disk is full. */
class NoSpaceException(cause: IOException) : IOException(cause)

private inline fun <T> storing(write: () -> T): T = try {
    write()
} catch (error: IOException) {
    throw NoSpaceException(error)
}
