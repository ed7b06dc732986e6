package dev.sotto

import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

class ChatSessionTest {
    private val brief = ChatOptions(maxTokens = 24, sampling = Sampling.GREEDY)

    @Test
    fun `a saved conversation goes on without being read again, and a damaged file costs nothing but that`() = test {
        val file = File.createTempFile("conversation", ".kv")
        demo().use { model ->
            val history = model.session("Answer in one sentence.").use { session ->
                session.respond("The lift is stuck. Who calls the service?", brief)
                session.save(file)
                session.history
            }
            model.trim()
            val resumed = model.resumeFrom(file, "Answer in one sentence.", history).use { it.respond("Why?", brief) }
            assertTrue(resumed.metrics.reusedTokens > resumed.metrics.prefillTokens)
            model.trim()
            file.writeBytes(file.readBytes().also { it[it.size / 2]++ })
            val again = model.resumeFrom(file, "Answer in one sentence.", history).use { it.respond("Why?", brief) }
            assertEquals(resumed.text to 0, again.text to again.metrics.reusedTokens)
        }
        file.delete()
    }

    @Test
    fun `a session remembers and computes only what is new`() = test {
        demo().use { model ->
            model.session("Be brief.").use { session ->
                val first = session.respond(NOTE, brief)
                val second = session.respond("Who has to write a test?", brief)
                assertTrue(second.metrics.reusedTokens >= first.metrics.prefillTokens)
                assertTrue(second.metrics.prefillTokens < 40)
            }
        }
    }

    @Test
    fun `a fork goes on from the same place by itself`() = test {
        demo().use { model ->
            model.session("Be brief.").use { session ->
                session.respond(NOTE, brief)
                val used = session.contextUsed()
                session.fork().use { fork ->
                    assertEquals(used, fork.contextUsed())
                    val question = "Who has to write a test?"
                    val reply = fork.respond(question, brief)
                    assertTrue(reply.metrics.reusedTokens + 10 > used)
                    assertEquals(used, session.contextUsed())
                    assertEquals(session.respond(question, brief).text, reply.text)
                }
            }
            assertTrue(model.cachedBytes > 0)
            assertTrue(model.trim() > 0)
            assertEquals(0, model.cachedBytes)
        }
    }

    @Test
    fun `a resumed session goes on where the other was, and a prewarmed one has read it`() = test {
        demo().use { model ->
            val question = "Who has to write a test?"
            val (answer, expected) = model.session("Be brief.").use {
                it.respond(NOTE, brief).text to it.respond(question, brief).text
            }
            model.resume("Be brief.", listOf(ChatTurn(NOTE, answer))).use { session ->
                session.prewarm()
                assertEquals(listOf(ChatTurn(NOTE, answer)), session.history)
                val reply = session.respond(question, brief)
                assertEquals(expected, reply.text)
                assertEquals(ChatTurn(question, expected), session.history.last())
                assertTrue(reply.metrics.reusedTokens > 30)
            }
        }
    }

    @Test
    fun `pieces put together are the answer`() = test {
        wide(LoadOptions(contextLength = 1024)).use { model ->
            val options = ChatOptions(maxTokens = 100, sampling = Sampling(temperature = 1.5f, seed = 3))
            val (pieces, reply) = model.session().use { session ->
                val answer = session.stream("Hello", options)
                answer.snapshots.toList() to answer.await()
            }
            assertEquals(reply.text, pieces.joinToString(""))
            val slowly = model.session().use { it.stream("Hello", options).snapshots.onEach { delay(5) }.toList() }
            assertEquals(pieces, slowly)
            val other = ChatOptions(maxTokens = 100, sampling = Sampling(temperature = 1.5f, seed = 4))
            assertNotEquals(reply.text, model.session().use { it.respond("Hello", other).text })
        }
    }

    @Test
    fun `characters of several bytes never break between pieces`() = test {
        val texts =
            listOf("🎉👩‍👩‍👧‍👦🇪🇸 𝒳", "日本語の文章と漢字", "नमस्ते दुनिया, क्षत्रिय", "naïve Ærøskøbing", "مرحبا بالعالم")
        demo().use { model ->
            for (text in texts) {
                val options = ChatOptions(sampling = Sampling.GREEDY, format = AnswerFormat.choice(listOf(text, "no way")))
                val streamed = mutableListOf<List<String>>()
                for (ask in listOf("Say $text", "Say $text again")) {
                    streamed += model.session(text).use { it.stream(ask, options).snapshots.toList() }
                }
                for (pieces in streamed) {
                    assertContains(listOf(text, "no way"), pieces.joinToString(""))
                    assertFalse(pieces.any { piece -> '\uFFFD' in piece || piece.isEmpty() || piece.hasLoneSurrogate() })
                }
                // The other text is left no choice by asking for this one alone.
                val forced = ChatOptions(format = AnswerFormat.regex(Regex.escape(text).removeSurrounding("\\Q", "\\E")))
                val pieces = model.session().use { it.stream("Say it", forced).snapshots.toList() }
                assertEquals(text, pieces.joinToString(""))
                assertTrue(pieces.size > 2, "the text came in one piece: nothing was tested")
                assertFalse(pieces.any { it.hasLoneSurrogate() })
            }
        }
    }

    private fun String.hasLoneSurrogate() = String(toByteArray(Charsets.UTF_8), Charsets.UTF_8) != this

    @Test
    fun `an answer can be held to a format`() = test {
        demo().use { model ->
            val options = { format: AnswerFormat -> ChatOptions(sampling = Sampling.GREEDY, format = format) }
            model.session().use { session ->
                assertContains(
                    listOf("yes", "no"),
                    session.respond("Is it?", options(AnswerFormat.choice(listOf("yes", "no")))).text,
                )
                assertTrue(
                    Regex("[0-9]{3}").matches(session.respond("A number?", options(AnswerFormat.regex("[0-9]{3}"))).text),
                )
                val grammar = AnswerFormat.lark("start: \"a\" \"b\"")
                assertEquals("ab", session.respond("Letters?", options(grammar)).text)
                val schema = AnswerFormat.jsonSchema(jsonSchema(TasksTest.Priority.serializer().descriptor))
                assertContains(listOf("\"LOW\"", "\"HIGH\""), session.respond("How urgent?", options(schema)).text)
            }
        }
    }

    @Test
    fun `a reply tells what has ended it`() = test {
        suspend fun ended(maxTokens: Int, format: String, contextLength: Int? = null) =
            demo(LoadOptions(contextLength = contextLength)).use { model ->
                val options = ChatOptions(maxTokens, format = AnswerFormat.regex(format))
                model.session().use { it.respond("Letters?", options).finishReason }
            }
        assertEquals(FinishReason.COMPLETE, ended(50, "[a-z]{3}"))
        assertEquals(FinishReason.MAX_TOKENS, ended(5, "[a-z]{500}"))
        assertEquals(FinishReason.CONTEXT_FULL, ended(500, "[a-z]{500}", contextLength = 64))
    }

    @Test
    fun `a cancelled answer leaves the session usable`() = test {
        wide(LoadOptions(contextLength = 2048)).use { model ->
            model.session("Be brief.").use { session ->
                session.stream("Tell me a story.", ENDLESS).snapshots.first()
                val asking = launch { session.respond("And another?", ENDLESS) }
                delay(30)
                asking.cancelAndJoin()
                val reply = session.respond("Hello?", ChatOptions(maxTokens = 4))
                assertTrue(reply.metrics.reusedTokens > 5, "the conversation was forgotten")
            }
        }
    }
}
