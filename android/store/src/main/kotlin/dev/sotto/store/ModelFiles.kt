package dev.sotto.store

import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.io.Closeable
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.channels.OverlappingFileLockException
import java.nio.file.Files
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.security.MessageDigest

/** What the store knows of a model that is there, or of an unfinished download. */
@Serializable
internal data class Record(val url: String, val bytes: Long, val sha256: String, val license: String? = null)

private val json = Json { ignoreUnknownKeys = true }

private const val BUFFER = 1 shl 18
private const val RECORD = ".json"
private const val ORIGIN = ".part.json"

/** Where a model lies, and beside it, with a dot in front of their names, what belongs to it. docs/delivery.md has the rules. */
internal class ModelFiles(store: File, source: ModelSource) {
    val model: File = source.place.fold(store) { folder, name -> folder.resolve(name) }
    val folder: File = model.parentFile
    val part: File = beside(".part")
    private val origin = beside(ORIGIN)
    private val record = beside(RECORD)
    private val lock = beside(".lock")

    private fun beside(end: String) = folder.resolve(".${model.name}$end")

    /** Makes the folder, and keeps others from downloading the same model until the lock is closed. */
    fun lock(source: ModelSource): Closeable = storing {
        Files.createDirectories(folder.toPath())
        val channel = FileChannel.open(lock.toPath(), CREATE, WRITE)
        val isLocked = try {
            channel.tryLock() != null
        } catch (_: OverlappingFileLockException) {
            false
        }
        if (isLocked) return channel
        channel.close()
        throw StoreException.InUse(source.name)
    }

    /** Whether the model is there with the size of its record. */
    fun has(record: Record): Boolean = model.isFile && model.length() == record.bytes

    fun readRecord(): Record? = read(record)

    fun readOrigin(): Record? = read(origin)

    fun writeRecord(value: Record) {
        write(record, value)
        syncFolder()
    }

    fun writeOrigin(value: Record): Unit = write(origin, value)

    /**
     * Puts the finished download in the model's place. Wherever this ends early, what is there agrees with its record or has none,
     * and what was downloaded can be put in place later.
     */
    fun putInPlace(value: Record): Unit = storing {
        FileChannel.open(part.toPath(), WRITE).use { it.force(true) }
        Files.deleteIfExists(record.toPath())
        syncFolder()
        Files.move(part.toPath(), model.toPath(), ATOMIC_MOVE)
        syncFolder()
        writeRecord(value)
        Files.deleteIfExists(origin.toPath())
    }

    /** The record goes first: what is left by an early end is not taken for a model. */
    fun remove(): Unit = storing {
        for (file in listOf(record, model, part, origin)) Files.deleteIfExists(file.toPath())
    }

    private fun write(file: File, value: Record): Unit = storing {
        val new = file.resolveSibling("${file.name}.new")
        FileOutputStream(new).use {
            it.write(json.encodeToString(Record.serializer(), value).toByteArray())
            it.fd.sync()
        }
        Files.move(new.toPath(), file.toPath(), ATOMIC_MOVE)
    }

    private fun syncFolder() {
        // Windows has no such thing.
        if (File.separatorChar == '/') storing { FileChannel.open(folder.toPath(), READ).use { it.force(true) } }
    }

    companion object {
        fun isRecord(file: File): Boolean =
            file.name.startsWith(".") && file.name.endsWith(RECORD) && !file.name.endsWith(ORIGIN)

        /** The model of a record, if it is there. */
        fun installed(record: File): InstalledModel? {
            val file = record.resolveSibling(record.name.removePrefix(".").removeSuffix(RECORD))
            val value = read(record)?.takeIf { file.length() == it.bytes } ?: return null
            return value.run { InstalledModel(file, url, sha256, bytes, license) }
        }

        /** What cannot be read is as good as not there. */
        private fun read(file: File): Record? = try {
            json.decodeFromString(Record.serializer(), file.readText())
        } catch (_: IOException) {
            null
        } catch (_: SerializationException) {
            null
        }
    }
}

/** The SHA-256 of a file, in hexadecimal digits. [onProgress] is told the bytes read. */
internal suspend fun sha256(file: File, onProgress: suspend (Long) -> Unit): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val buffer = ByteArray(BUFFER)
    var done = 0L
    file.inputStream().use { input ->
        while (true) {
            val count = storing { input.read(buffer) }
            if (count < 0) break
            digest.update(buffer, 0, count)
            done += count
            onProgress(done)
        }
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}

/** Turns errors of the file system into the store's. */
internal inline fun <T> storing(block: () -> T): T = try {
    block()
} catch (error: IOException) {
    throw StoreException.Storage(error.message ?: error.javaClass.simpleName, error)
}
