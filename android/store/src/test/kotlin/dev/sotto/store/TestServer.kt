package dev.sotto.store

import java.io.IOException
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.security.MessageDigest
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A request: its path with the query, and its headers by their names in small letters. */
class Request(val path: String, val headers: Map<String, String>) {
    /** The first byte that is asked for. */
    val from: Int get() = headers["range"]?.removePrefix("bytes=")?.removeSuffix("-")?.toInt() ?: 0
}

/** A server on the loopback address that does with each request what a test wants. */
class TestServer(private val answer: Answer.(Request) -> Unit) : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    val requests = CopyOnWriteArrayList<Request>()
    val url = "http://127.0.0.1:${socket.localPort}/models/model.gguf"

    init {
        thread(isDaemon = true) {
            while (!socket.isClosed) {
                val connection = try {
                    socket.accept()
                } catch (_: IOException) {
                    break
                }
                thread(isDaemon = true) {
                    try {
                        connection.use {
                            val lines = it.getInputStream().bufferedReader().lineSequence().takeWhile(
                                String::isNotEmpty,
                            ).toList()
                            val headers = lines.drop(1).associate { line ->
                                line.substringBefore(": ").lowercase() to
                                    line.substringAfter(": ")
                            }
                            val request = Request(lines.first().split(' ')[1], headers)
                            requests += request
                            Answer(it.getOutputStream()).answer(request)
                        }
                    } catch (_: IOException) {
                        // The client has gone, or wants no more.
                    }
                }
            }
        }
    }

    override fun close() = socket.close()
}

class Answer(val out: OutputStream) {
    fun reply(status: String, vararg headers: Pair<String, Any>, body: ByteArray = ByteArray(0)) {
        val lines = headers.joinToString("") { (name, value) -> "$name: $value\r\n" }
        out.write("HTTP/1.1 $status\r\n${lines}Connection: close\r\n\r\n".toByteArray())
        out.write(body)
        out.flush()
    }

    /** As a server should: from where it is asked for. */
    fun honest(request: Request, model: ByteArray) = when {
        request.from == 0 -> whole(model.size, model)
        request.from >= model.size -> reply("416 Range Not Satisfiable", "Content-Range" to "bytes */${model.size}")
        else -> rest(request.from, model.size, model.copyOfRange(request.from, model.size))
    }

    fun whole(length: Int, body: ByteArray) = reply("200 OK", "Content-Length" to length, body = body)

    fun rest(from: Int, size: Int, body: ByteArray) = reply(
        "206 Partial Content",
        "Content-Length" to size - from,
        "Content-Range" to "bytes $from-${size - 1}/$size",
        body = body,
    )
}

/** What tests say of network and storage. */
class TestConditions(var metered: Boolean = false, var free: Long = Long.MAX_VALUE) : DownloadConditions {
    override fun isMetered() = metered

    override fun freeBytes(folder: java.io.File) = free
}

/** One that gives up soon. */
internal val IMPATIENT = Patience(attempts = 4, firstWait = 1, longestWait = 2_000, silence = 400)

fun sha256(bytes: ByteArray): String = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
