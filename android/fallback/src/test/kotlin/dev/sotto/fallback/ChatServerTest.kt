package dev.sotto.fallback

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import java.net.ServerSocket
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

class ChatServerTest {
    private fun received(server: ChatServer, body: String = "{}"): String = runBlocking {
        val text = StringBuilder()
        server(body) { text.append(String(it)) }
        text.toString()
    }

    @Test
    fun `a request is posted once and its reply passed on`() = TestServer { reply("200 OK", "data: [DONE]\n\n") }.use {
        assertEquals("data: [DONE]\n\n", received(ChatServer("${it.url}/llm/", "sk-hidden"), "{\"text\": \"Zoë\"}"))
        val request = it.requests.single()
        assertEquals("POST /llm/v1/chat/completions HTTP/1.1", request.line)
        assertEquals("{\"text\": \"Zoë\"}", request.body)
        assertTrue("authorization: bearer sk-hidden" in request.headers && "content-type: application/json" in request.headers)
    }

    @Test
    fun `what is no answer is told by its kind`() {
        for (status in listOf(302, 401, 404, 429, 500)) {
            TestServer { reply("$status Secret", "secret", "Location: /secret\r\nContent-Length: 6\r\n") }.use {
                val refused = assertFailsWith<ServerException.Refused> { received(ChatServer(it.url)) }
                assertEquals(status, refused.status)
                assertEquals(1, it.requests.size)
                assertFalse("secret" in refused.message!!)
            }
        }
        val broken: List<Answer.() -> Unit> = listOf(
            {},
            { raw("secret\r\n\r\n") },
            { reply("200 OK", "secret", "Content-Length: 100\r\n") },
            { reply("200 OK", "6\r\nsecret\r\n", "Transfer-Encoding: chunked\r\n") },
            { stall() },
        )
        for (answer in broken) {
            TestServer { answer() }.use {
                val lost = assertFailsWith<ServerException.Unreachable> { received(ChatServer(it.url, silenceMillis = 300)) }
                assertFalse("secret" in lost.message!! || it.url in lost.message!!)
                assertEquals(1, it.requests.size, "it is asked once")
            }
        }
        val port = ServerSocket(0).use { it.localPort }
        assertFailsWith<ServerException.Unreachable> { received(ChatServer("http://127.0.0.1:$port")) }
    }

    @Test
    fun `cancelling closes the connection`() {
        val does: List<Answer.() -> Unit> = listOf(
            { stall() },
            {
                begin()
                stall()
            },
            {
                begin()
                while (true) {
                    raw(": drop\n")
                    Thread.sleep(5)
                }
            },
        )
        for (answer in does) {
            TestServer { answer() }.use {
                runBlocking(Dispatchers.Default) {
                    val asking = launch { ChatServer(it.url).invoke("{}") {} }
                    while (it.requests.isEmpty()) delay(5)
                    delay(100)
                    val cancelled = System.nanoTime()
                    asking.cancelAndJoin()
                    val took = TimeUnit.NANOSECONDS.toMillis(it.ended.get(10, TimeUnit.SECONDS) - cancelled)
                    assertTrue(took < 100, "closed after $took ms")
                }
            }
        }
    }

    @Test
    fun `a reader that fails closes the connection`() = TestServer {
        begin()
        raw(": drop\n")
        stall()
    }.use {
        val seen = CompletableDeferred<Unit>()
        assertFailsWith<IllegalStateException> {
            runBlocking {
                ChatServer(it.url).invoke("{}") {
                    seen.complete(Unit)
                    error("refused")
                }
            }
        }
        assertTrue(seen.isCompleted)
        it.ended.get(10, TimeUnit.SECONDS)
        Unit
    }

    @Test
    fun `texts go over TLS or stay on this machine`() {
        val refused = listOf(
            "http://a.example",
            "http://192.168.1.7:8080",
            "http://127.0.0.1.example",
            "https://u:p@a.example",
            "ftp://a.example",
            "a.example",
        )
        for (url in refused) assertFailsWith<ServerException.InvalidServer>(url) { ChatServer(url) }
        for (url in listOf("https://a.example", "http://localhost:1234", "http://127.0.0.1", "http://[::1]:1")) ChatServer(url)
        val invalid = assertFailsWith<ServerException.InvalidServer> { ChatServer("https://a.example", "sk-hidden\n") }
        assertFalse("hidden" in invalid.message!!)
    }
}
