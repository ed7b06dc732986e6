package dev.sotto

import dev.sotto.internal.FfiToolCall
import dev.sotto.internal.NoHandle
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.serialization.Serializable
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class ChatToolTest {
    @Serializable
    private class City(@Description("the city's name") val city: String, val days: Int = 1)

    /** A call that no model made. */
    private class Call(private val json: String) : FfiToolCall(NoHandle) {
        val result = CompletableDeferred<String>()
        val over = CompletableDeferred<Unit>()

        override fun arguments() = json

        override fun succeed(text: String) = end(text)

        override fun fail(why: String) = end("failed: $why")

        override suspend fun ended() = over.await()

        private fun end(text: String) {
            result.complete(text)
            over.complete(Unit)
        }
    }

    private fun weather(name: String = "weather", handler: suspend (City) -> String) =
        ChatTool(name, "Tells the weather", handler)

    @Test
    fun `the model's arguments are a value of a type, which gives the schema`() = test {
        val tool = weather { "${it.city}, ${it.days}: rain" }.toFfi()
        assertContains(tool.parameters, "the city's name")
        val call = Call("""{"city": "Oslo", "days": 2}""")
        tool.handler.start(call)
        assertEquals("Oslo, 2: rain", call.result.await())
    }

    @Test
    fun `the model is told why a tool failed`() = test {
        val call = Call("""{"city": "Oslo"}""")
        weather { error("no network") }.toFfi().handler.start(call)
        assertEquals("failed: no network", call.result.await())
    }

    @Test
    fun `a tool is cancelled with the answer`() = test {
        val begun = CompletableDeferred<Unit>()
        val cancelled = CompletableDeferred<Unit>()
        val tool = weather {
            try {
                begun.complete(Unit)
                awaitCancellation()
            } finally {
                cancelled.complete(Unit)
            }
        }
        val call = Call("""{"city": "Oslo"}""")
        tool.toFfi().handler.start(call)
        begun.await()
        call.over.complete(Unit)
        cancelled.await()
    }

    @Test
    fun `a conversation with tools answers`() = test {
        demo().use { model ->
            model.session("Be brief.", listOf(weather { "rain" })).use { session ->
                val reply = session.respond("Hello", ChatOptions(maxTokens = 24, sampling = Sampling.GREEDY))
                assertEquals(reply.text, session.history.single().answer)
            }
        }
    }

    @Test
    fun `a history with calls is resumed, and bad ones are refused`() = test {
        demo().use { model ->
            val turn = ChatTurn("Weather?", "Rain.", listOf(ChatToolUse("", "weather", """{"city":"Oslo"}""", "rain")))
            val without = model.resume(null, listOf(ChatTurn("Weather?", "Rain."))).use { it.contextUsed() }
            model.resume(null, listOf(turn)).use {
                assertEquals(listOf(turn), it.history)
                assertTrue(it.contextUsed() > without + 10)
            }
            val broken = ChatTurn("?", "!", listOf(ChatToolUse("", "weather", "{", "rain")))
            assertFailsWith<SottoException.InvalidInput> { model.resume(null, listOf(broken)) }
            assertFailsWith<SottoException.InvalidInput> { model.session(null, listOf(weather("two words") { "" })) }
            assertFailsWith<SottoException.InvalidInput> { model.session(null, listOf(weather { "" }, weather { "" })) }
        }
    }
}
