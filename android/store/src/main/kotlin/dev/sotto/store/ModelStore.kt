package dev.sotto.store

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext
import java.io.File

/**
 * A folder of downloaded models, each of them once. A model takes its place only when it is complete and has its SHA-256; a
 * download that was interrupted goes on from where it was, also after the end of the process.
 *
 * @property folder where the models lie, on Android a folder in `noBackupFilesDir`. It is made with the first model.
 */
public class ModelStore internal constructor(
    public val folder: File,
    private val conditions: DownloadConditions,
    private val patience: Patience,
) {
    /** A store in [folder] that asks [conditions] before it downloads. On Android, give it [AndroidConditions]. */
    @JvmOverloads
    public constructor(folder: File, conditions: DownloadConditions = DesktopConditions) : this(folder, conditions, Patience())

    /**
     * Downloads a model, unless it is there. If it is, all of its bytes are compared with its SHA-256. Each collector installs anew;
     * cancelling it stops the download, and the next one goes on from there.
     *
     * On a metered network, nothing is downloaded unless [allowMetered]: [StoreException.Metered] says how much is missing.
     */
    @JvmOverloads
    public fun install(source: ModelSource, allowMetered: Boolean = false): Flow<InstallState> = flow {
        val files = ModelFiles(folder, source)
        val installed = files.lock(source).use { Download(source, files, conditions, allowMetered, patience, ::emit).run() }
        // The lock is free before the end is told, so that the model can be removed at once.
        emit(installed)
    }.conflate().flowOn(Dispatchers.IO)

    /** Where a model lies, or will lie. */
    public fun fileOf(source: ModelSource): File = ModelFiles(folder, source).model

    /** The file of a model that is there with the wanted SHA-256, by the store's record and its size; nothing is read. */
    public fun find(source: ModelSource): File? {
        val files = ModelFiles(folder, source)
        return files.model.takeIf { files.readRecord()?.let { it.sha256 == source.sha256 && files.has(it) } ?: false }
    }

    /** All models that are there. */
    public suspend fun installed(): List<InstalledModel> = withContext(Dispatchers.IO) {
        folder.walk().filter {
            it.isFile && ModelFiles.isRecord(it)
        }.mapNotNull(ModelFiles::installed).sortedBy { it.file }.toList()
    }

    /**
     * Removes a model, and what was downloaded of it.
     *
     * @throws StoreException.InUse while it is being downloaded.
     */
    public suspend fun remove(source: ModelSource): Unit = withContext(Dispatchers.IO) {
        val files = ModelFiles(folder, source)
        if (files.folder.exists()) files.lock(source).use { files.remove() }
    }
}
