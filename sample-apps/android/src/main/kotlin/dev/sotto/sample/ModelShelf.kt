package dev.sotto.sample

import dev.sotto.LoadOptions
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import java.io.InputStream

/** The models of this device: the demo model, and one that the person has chosen. */
class ModelShelf(private val folder: File) {
    private val chosen = Place("chosen")
    private val next = Place("next")
    private val previous = Place("previous")

    init {
        // The app was ended within [chooseNext].
        if (!chosen.folder.exists()) previous.folder.renameTo(chosen.folder)
    }

    val hasChosen get() = chosen.model.exists()

    /** Loads the chosen model. One that fails stays: there may be more memory, or space, the next time. */
    suspend fun chosen(): LocalModel = chosen.load()

    /**
     * Takes a copy of the model in [source], of [size] bytes if that is known, and loads it. Only once that has worked is it the chosen
     * one: until then, the one before stays.
     */
    suspend fun choose(source: () -> InputStream, size: Long?, onProgress: (Float) -> Unit): LocalModel = try {
        copy(source, next.model) { copied -> if (size != null && size > 0) onProgress(copied.toFloat() / size) }
        next.load().also { chooseNext() }
    } finally {
        next.clear()
    }

    /** Loads the demo model from where it lies, and forgets the chosen one. */
    suspend fun demo(file: ModelFile): LocalModel = load(file, folder).also { chosen.clear() }

    private fun chooseNext() {
        previous.clear()
        chosen.folder.renameTo(previous.folder)
        next.folder.renameTo(chosen.folder)
        previous.clear()
    }

    /** A model and its packed copy, which come and go together. */
    private inner class Place(name: String) {
        val folder = File(this@ModelShelf.folder, name)
        val model = File(folder, "model.gguf")

        suspend fun load() = load(ModelFile.path(model), folder)

        fun clear() = folder.deleteRecursively()
    }

    private suspend fun load(file: ModelFile, cacheFolder: File) = LocalModel.load(file, LoadOptions(cacheFolder))

    /** A copy, since a document may lie in the cloud, and be gone tomorrow. */
    private suspend fun copy(source: () -> InputStream, target: File, onProgress: (Long) -> Unit) =
        withContext(Dispatchers.IO) {
            target.parentFile?.mkdirs()
            source().use { input ->
                storing { target.outputStream() }.use { output ->
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
        }
}

/** A file of the app's own cannot be written: the disk is full. */
class NoSpaceException(cause: IOException) : IOException(cause)

/** Tells what fails in writing from what fails in reading. */
inline fun <T> storing(write: () -> T): T = try {
    write()
} catch (error: IOException) {
    throw NoSpaceException(error)
}
