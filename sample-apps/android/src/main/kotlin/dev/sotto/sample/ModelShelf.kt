package dev.sotto.sample

import dev.sotto.ModelFile
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import java.util.UUID

/**
 * The models of one kind on this device: one that the person has chosen, and perhaps one that the app brings. [load] loads a file, and
 * can keep a packed copy of it in a folder.
 */
class ModelShelf<M>(
    scope: CoroutineScope,
    private val folder: File,
    private val load: suspend (file: ModelFile, cacheFolder: File) -> M,
) {
    private val chosen = Place("chosen")
    private val previous = Place("previous")

    init {
        // The app was ended while a model took the place of another.
        if (!chosen.folder.exists()) previous.folder.renameTo(chosen.folder)
    }

    private val tidying = scope.launch(Dispatchers.IO) { leftovers().forEach(File::deleteRecursively) }

    val hasChosen get() = chosen.model.exists()

    /** Loads the chosen model. One that fails stays: there may be more memory, or space, the next time. */
    suspend fun chosen(): M = chosen.load()

    /**
     * Takes a copy of the model in [source] and loads it. Only once that has worked is it the chosen one: until then, the one before
     * stays.
     */
    suspend fun choose(source: Document, onProgress: (Float) -> Unit): M {
        tidying.join()
        // Another choice may be on its way out still.
        val next = Place("$NEXT-${UUID.randomUUID()}")
        return try {
            copy(source, next, onProgress)
            next.load().also { onDisk { takePlace(next) } }
        } finally {
            onDisk { next.clear() }
        }
    }

    /** Loads the app's own model from where it lies, and forgets the chosen one. */
    suspend fun own(file: ModelFile): M = load(file, folder).also { forget() }

    /** Deletes the chosen model. */
    suspend fun forget() = onDisk { chosen.clear() }

    private fun takePlace(next: Place) {
        previous.clear()
        chosen.folder.renameTo(previous.folder)
        next.folder.renameTo(chosen.folder)
        previous.clear()
    }

    /** What is there where the app was ended within [choose]. */
    private fun leftovers() = folder.listFiles { file -> file.name.startsWith(NEXT) || file == previous.folder }.orEmpty()

    /** A model and its packed copy, which come and go together. */
    private inner class Place(name: String) {
        val folder = File(this@ModelShelf.folder, name)
        val model = File(folder, "model.gguf")

        suspend fun load() = load(ModelFile.path(model), folder)

        fun clear() = folder.deleteRecursively()
    }

    /** A copy, since a document may lie in the cloud, and be gone tomorrow. */
    private suspend fun copy(source: Document, target: Place, onProgress: (Float) -> Unit) = withContext(Dispatchers.IO) {
        target.folder.mkdirs()
        val size = source.size()?.takeIf { it > 0 }
        var copied = 0L
        storing { target.model.outputStream() }.use { output ->
            source.read { piece, count ->
                storing { output.write(piece, 0, count) }
                copied += count
                if (size != null) onProgress(copied.toFloat() / size)
            }
        }
    }

    private companion object {
        const val NEXT = "next"
    }
}

/** To delete a gigabyte takes its time. A caller that is cancelled meanwhile learns of it afterwards. */
private suspend fun onDisk(change: () -> Unit) = withContext(NonCancellable) { withContext(Dispatchers.IO) { change() } }

/** A file of the app's own cannot be written: the disk is full. */
class NoSpaceException(cause: IOException) : IOException(cause)

/** Tells what fails in writing from what fails in reading. */
inline fun <T> storing(write: () -> T): T = try {
    write()
} catch (error: IOException) {
    throw NoSpaceException(error)
}
