package dev.sotto.store

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.RandomAccessFile
import java.net.HttpURLConnection
import java.net.SocketTimeoutException
import java.net.URI

private const val BUFFER = 1 shl 16

/** As much as makes an attempt count as a success. */
private const val PROGRESS = 1L shl 20

/** An attempt has ended early, but another may work. [wait] is in milliseconds. */
private class Interruption(val why: String, val wait: Long? = null) : Exception(why)

/** A download, from the look at what is there to the model in its place. docs/delivery.md has the rules. */
internal class Download(
    private val source: ModelSource,
    private val files: ModelFiles,
    private val conditions: DownloadConditions,
    private val allowMetered: Boolean,
    private val patience: Patience,
    private val report: suspend (InstallState) -> Unit,
) {
    private val record = source.run { Record(address, bytes, sha256, license) }

    /** Whether the bytes came with more than one reply, so that they may be of two versions. */
    private var isJoined = false

    suspend fun run(): InstallState.Installed {
        if (find()) return InstallState.Installed(files.model, fetched = false)
        prepare()
        var failures = 0
        while (true) {
            val before = files.part.length()
            try {
                receive()
                verify()
                files.putInPlace(record)
                return InstallState.Installed(files.model, fetched = true)
            } catch (interruption: Interruption) {
                failures = if (files.part.length() >= before + PROGRESS) 1 else failures + 1
                wait(failures, interruption)
            }
        }
    }

    /** Whether the model is there, as it must be. What is damaged, or another version, is downloaded. */
    private suspend fun find(): Boolean {
        if (!files.has(record) || digest(files.model) != source.sha256) return false
        if (files.readRecord() != record) files.writeRecord(record)
        return true
    }

    /** Keeps an unfinished download if it is of this model. */
    private fun prepare() = storing {
        val left = files.part.length()
        isJoined = left > 0
        if (files.readOrigin()?.copy(license = source.license) != record || left > source.bytes) clear()
        files.writeOrigin(record)
    }

    private fun clear() = storing {
        isJoined = false
        FileOutputStream(files.part).close()
    }

    /** Receives what is missing, in one reply. */
    private suspend fun receive() {
        if (files.part.length() == source.bytes) return
        check()
        var next: URI? = source.uri
        repeat(MOST_ADDRESSES) {
            next = request(next ?: return)
        }
        if (next != null) throw Interruption("the server redirects in circles")
    }

    /** There is space, and the network may be used. */
    private fun check() {
        val needed = source.bytes - files.part.length()
        val free = conditions.freeBytes(files.folder)
        if (free < needed) throw StoreException.NoSpace(needed, free)
        if (!allowMetered && conditions.isMetered()) throw StoreException.Metered(needed)
    }

    /** Receives what [uri] has, or returns the address that it redirects to. */
    private suspend fun request(uri: URI): URI? = connected(uri) { connection ->
        redirect(connection, uri, source) ?: run {
            accept(Reply.of(connection, source))
            copy(connection)
            null
        }
    }

    /** Prepares for the bytes of a reply: they must continue what is there, or begin anew. */
    private fun accept(reply: Reply) {
        val known = when (reply) {
            is Reply.Whole -> reply.bytes.also { clear() }

            is Reply.Rest -> reply.bytes.also {
                if (reply.from !=
                    files.part.length()
                ) {
                    startOver("the server sent another part")
                }
            }

            is Reply.Unusable -> startOver(reply.why)

            is Reply.Later -> throw Interruption(reply.why, reply.wait?.times(1_000))
        }
        isJoined = files.part.length() > 0
        if (known != null && known != source.bytes) {
            clear()
            throw StoreException.Mismatch(source.name, "the server's file has $known bytes, not ${source.bytes}")
        }
    }

    private suspend fun copy(connection: HttpURLConnection) {
        val buffer = ByteArray(BUFFER)
        var done = files.part.length()
        val input = network { connection.inputStream }
        storing { RandomAccessFile(files.part, "rw") }.use { part ->
            part.seek(done)
            while (true) {
                currentCoroutineContext().ensureActive()
                val count = network { input.read(buffer) }
                if (count < 0) break
                if (done + count > source.bytes) startOver("the server sent more than the file")
                storing { part.write(buffer, 0, count) }
                done += count
                report(InstallState.Downloading(done, source.bytes))
            }
        }
        if (done < source.bytes) throw Interruption("the server ended too early")
    }

    /** Compares the SHA-256. If it is wrong, and the bytes came with several replies, all is downloaded again. */
    private suspend fun verify() {
        if (digest(files.part) == source.sha256) return
        if (isJoined) startOver("the server does not stick to one version of the file")
        clear()
        throw StoreException.Mismatch(source.name, "its SHA-256 is another: the source is wrong, or the file was changed")
    }

    private suspend fun digest(file: File): String = sha256(file) {
        currentCoroutineContext().ensureActive()
        report(InstallState.Verifying(it, source.bytes))
    }

    private fun startOver(why: String): Nothing {
        clear()
        throw Interruption(why)
    }

    /** Waits before the next attempt, unless there were too many. */
    private suspend fun wait(failures: Int, interruption: Interruption) {
        val usual = (patience.firstWait shl (failures - 1).coerceAtMost(16)).coerceAtMost(patience.longestWait)
        val wait = interruption.wait ?: usual
        if (failures >= patience.attempts ||
            wait > patience.longestWait
        ) {
            throw StoreException.Network(source.name, interruption.why)
        }
        delay(wait)
    }

    private suspend fun <T> connected(uri: URI, block: suspend (HttpURLConnection) -> T): T {
        val connection = network { open(uri) }
        try {
            network { connection.responseCode }
            return block(connection)
        } finally {
            // On desktops it waits for a read that waits.
            abandoned.launch { connection.disconnect() }
        }
    }

    private fun open(uri: URI): HttpURLConnection {
        val connection = uri.toURL().openConnection() as HttpURLConnection
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        connection.connectTimeout = patience.silence
        connection.readTimeout = patience.silence
        connection.setRequestProperty("Accept-Encoding", "identity")
        connection.setRequestProperty("Connection", "close")
        val from = files.part.length()
        if (from > 0) connection.setRequestProperty("Range", "bytes=$from-")
        return connection
    }

    /**
     * Does what may wait for the server. When the coroutine is cancelled, this is left to end by itself: nothing interrupts it on
     * all systems. Errors end an attempt.
     */
    private suspend fun <T> network(block: () -> T): T = try {
        abandoned.async { block() }.await()
    } catch (_: SocketTimeoutException) {
        throw Interruption("the server was silent for too long")
    } catch (_: IOException) {
        throw Interruption("the connection was lost")
    }
}

/** Where that happens which nobody waits for any more once it is cancelled. */
private val abandoned = CoroutineScope(SupervisorJob() + Dispatchers.IO)
