package dev.sotto

import dev.sotto.fallback.Answer
import dev.sotto.fallback.ChatServer
import dev.sotto.fallback.ServerException
import dev.sotto.fallback.TestRequest
import dev.sotto.fallback.TestServer
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue

private const val LABEL = "{\"label\": \"task\"}"

/** Longer than the demo model reads. */
private val LONG = "The list is not here. ".repeat(2000)

private val ALWAYS = setOf(Whenever.ContextTooLong, Whenever.ModelMissing)

@Serializable
private data class Errand(val who: String, val day: String?)

private fun fallback(server: TestServer, whenever: Set<Whenever> = ALWAYS) =
    Fallback(ChatServer(server.url, "sk-hidden"), "big", whenever)

/** A model that is not there. */
private fun missing() = SharedModel { LocalModel.load(ModelFile.path(DEMO_FILE.resolveSibling("nowhere.gguf"))) }

/** What each message of a request says. */
private fun said(request: TestRequest) = Json.parseToJsonElement(request.body).jsonObject.getValue("messages").jsonArray.map {
    it.jsonObject.getValue("content").jsonPrimitive.content
}

class AssistantTest {
    @Test
    fun `what the device can do is sent nowhere`() = test {
        TestServer { chat(LABEL) }.use { server ->
            demo().use { model ->
                val found = model.withFallback(fallback(server)).classify("call Tom", LABELS)
                assertEquals(model.classify("call Tom", LABELS).label, found.label)
                assertNull(found.metrics.handedOver)
                val off = model.withFallback(fallback(server, setOf(Whenever.ModelMissing)))
                assertFailsWith<SottoException.ContextFull> { off.classify(LONG, LABELS) }
                val isThere = model.withFallback(fallback(server, setOf(Whenever.ContextTooLong)))
                assertFailsWith<SottoException.InvalidInput> { isThere.classify("call Tom", listOf("one")) }
            }
            val off = missing().withFallback(fallback(server, setOf(Whenever.ContextTooLong)))
            assertFailsWith<SottoException.ModelNotFound> { off.classify("call Tom", LABELS) }
            assertEquals(emptyList(), server.requests)
        }
    }

    @Test
    fun `labels come from the server when the context is full, or the device is unsure`() = test {
        TestServer { chat(LABEL) }.use { server ->
            demo().use { model ->
                val found = model.withFallback(fallback(server)).classify(LONG, LABELS)
                assertEquals("task" to HandoverReason.CONTEXT_TOO_LONG, found.label to found.metrics.handedOver)
                assertEquals(1.0 to 5000, found.confidence to found.metrics.prefillTokens)
                assertEquals(LONG, said(server.requests.single()).last())
                assertContains(server.requests.single().headers, "authorization: bearer sk-hidden")
                for ((than, reason) in listOf(1.0 to HandoverReason.LOW_CONFIDENCE, 0.0 to null)) {
                    val unsure = model.withFallback(fallback(server, setOf(Whenever.LowConfidence(than))))
                    assertEquals(reason, unsure.classify("call Tom", LABELS).metrics.handedOver)
                }
            }
        }
    }

    @Test
    fun `each task does without a model`() = test {
        TestServer { chat("{\"day\": null, \"who\": \"Tom\"}") }.use {
            val errand = missing().withFallback(fallback(it)).extract<Errand>("call Tom")
            assertEquals(Errand("Tom", null), errand)
        }
        val written = "Title: a test\nOverview: a test\nPoints:\n- a rocket\nActions:\n- write a test\n  owner: Marcus\n"
        TestServer { chat(written) }.use {
            val task = missing().withFallback(fallback(it)).summarize(VoiceNote.text(NOTE))
            val snapshots = task.snapshots.toList()
            val summary = task.await()
            assertTrue(snapshots.size > 3)
            assertEquals("A test" to emptyList(), summary.title to summary.points)
            assertEquals("write a test" to "Marcus", summary.actions.single().run { text to owner })
            assertEquals(HandoverReason.MODEL_MISSING, summary.metrics?.handedOver)
            assertEquals(summary, snapshots.last())
        }
    }

    @Test
    fun `a conversation goes on with all that was said`() = test {
        TestServer { chat("Good evening to you.") }.use { server ->
            demo(LoadOptions(contextLength = 128)).use { model ->
                model.withFallback(fallback(server)).session("Be brief.").use { chat ->
                    val short = ChatOptions(maxTokens = 8, sampling = Sampling.GREEDY)
                    val first = chat.respond("Hello", short)
                    assertNull(first.metrics.handedOver)
                    val long = "on and on ".repeat(100)
                    val task = chat.stream(long, short)
                    assertEquals(
                        "Good evening to you.",
                        task.snapshots.toList().also {
                            assertTrue(it.size > 2)
                        }.joinToString(""),
                    )
                    assertEquals(HandoverReason.CONTEXT_TOO_LONG, task.await().metrics.handedOver)
                    chat.respond("And now?", short)
                    val all = listOf("Be brief.", "Hello", first.text, long, "Good evening to you.", "And now?")
                    assertEquals(all, said(server.requests[1]))
                    assertEquals(3, chat.history.size)
                    val regex = ChatOptions(format = AnswerFormat.regex("a+"))
                    assertFailsWith<SottoException.ContextFull> { chat.respond("Say a.", regex) }
                    assertEquals(2, server.requests.size)
                }
            }
        }
    }

    @Test
    fun `a failure has its kind and none of the texts`() = test {
        val refusing = TestServer { reply("429 Secret", "secret") }
        val cutOff = TestServer {
            begin()
            raw(delta("secret"))
        }
        val answers = mapOf<String, Answer.() -> Unit>(
            "none of the labels" to { chat("{\"label\": \"secret\"}") },
            "not JSON" to { chat("It is a secret.") },
            "cut off" to { chat(LABEL, "length") },
            "not a stream" to { reply("200 OK", "<html>secret</html>\n") },
            "does not end" to { reply("200 OK", "data: " + "x".repeat(2 shl 20)) },
        )
        refusing.use {
            val asked = missing().withFallback(fallback(it))
            assertEquals(429, assertFailsWith<ServerException.Refused> { asked.classify("private", LABELS) }.status)
        }
        cutOff.use {
            val broken = assertFailsWith<SottoException.ServerAnswer> {
                missing().withFallback(fallback(it)).session().respond("private")
            }
            assertContains(broken.why, "broke off")
        }
        for ((why, answer) in answers) {
            TestServer { answer() }.use {
                val asked = missing().withFallback(fallback(it))
                val unusable = assertFailsWith<SottoException.ServerAnswer>(why) { asked.classify("private", LABELS) }
                assertContains(unusable.why, why)
                assertFalse("secret" in unusable.toString() || "private" in unusable.toString())
            }
        }
    }

    @Test
    fun `a cancelled answer closes the connection within 100 ms and is not kept`() = test {
        TestServer {
            begin()
            while (true) {
                raw(delta("drop "))
                Thread.sleep(5)
            }
        }.use { server ->
            missing().withFallback(fallback(server)).session().use { chat ->
                var pieces = 0
                val answering = launch { chat.stream("Hello").snapshots.onEach { pieces++ }.collect {} }
                while (pieces < 3) delay(5)
                val cancelled = System.nanoTime()
                answering.cancelAndJoin()
                val took = TimeUnit.NANOSECONDS.toMillis(server.ended.get(10, TimeUnit.SECONDS) - cancelled)
                assertTrue(took < 100, "closed after $took ms")
                assertEquals(emptyList(), chat.history)
            }
        }
    }
}
