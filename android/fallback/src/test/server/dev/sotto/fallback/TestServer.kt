package dev.sotto.fallback

import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A request: its first line, its headers in small letters, and its body. */
class TestRequest(val line: String, val headers: String, val body: String)

/** What a server does with a request; [input] ends when the client has closed. */
class Answer(val out: OutputStream, val input: InputStream) {
    fun reply(status: String, body: String = "", headers: String = "Content-Length: ${body.toByteArray().size}\r\n") = raw(
        "HTTP/1.1 $status\r\n${headers}Connection: close\r\n\r\n$body",
    )

    fun raw(bytes: String) {
        out.write(bytes.toByteArray())
        out.flush()
    }

    fun begin() = reply("200 OK", headers = "")

    /** Streams a whole chat completion. */
    fun chat(text: String, finishReason: String = "stop") {
        begin()
        for (word in text.split(Regex("(?<= )"))) raw(delta(word))
        raw("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"$finishReason\"}]}\n\n")
        raw("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5000,\"completion_tokens\":12}}\n\ndata: [DONE]\n\n")
    }

    fun delta(text: String): String {
        val json = text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n")
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"$json\"}}]}\n\n"
    }

    /** Waits until the client has closed. */
    fun stall() {
        while (input.read() >= 0) Unit
    }
}

/** A server on the loopback address that does with each request what a test wants. */
class TestServer(private val answer: Answer.(TestRequest) -> Unit) : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    val requests = CopyOnWriteArrayList<TestRequest>()
    val url = "http://127.0.0.1:${socket.localPort}"

    /** When the first connection was over, in nanoseconds. */
    val ended = CompletableFuture<Long>()

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
                            val input = it.getInputStream()
                            val request = read(input)
                            requests += request
                            Answer(it.getOutputStream(), input).answer(request)
                        }
                    } catch (_: IOException) {
                        // The client has gone.
                    }
                    ended.complete(System.nanoTime())
                }
            }
        }
    }

    private fun read(input: InputStream): TestRequest {
        val head = StringBuilder()
        while (!head.endsWith("\r\n\r\n")) head.append(input.read().also { if (it < 0) throw IOException() }.toChar())
        val headers = head.toString().lowercase()
        val length = Regex("content-length: (\\d+)").find(headers)?.groupValues?.get(1)?.toInt() ?: 0
        return TestRequest(head.lines().first(), headers, String(input.readNBytes(length)))
    }

    override fun close() = socket.close()
}
