package dev.sotto

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame

class SottoTaskTest {
    private val brief = ChatOptions(maxTokens = 8, sampling = Sampling.GREEDY)

    @Test
    fun `a task runs once, and says so`() = test {
        demo().use { model ->
            model.session().use { session ->
                val answer = session.stream("Hello", brief)
                val pieces = answer.snapshots.toList()
                val reply = answer.await()
                assertEquals(pieces.joinToString(""), reply.text)
                assertSame(reply, answer.await())
                val again = assertFailsWith<IllegalStateException> { answer.snapshots.toList() }
                assertContains(again.message.orEmpty(), "make a new one")
                assertEquals(1, session.history.size, "the question was asked again")
            }
            val summary = model.summarize(VoiceNote.text(NOTE))
            summary.await()
            assertFailsWith<IllegalStateException> { summary.snapshots.toList() }
        }
    }

    @Test
    fun `the value can be awaited elsewhere while snapshots are collected`() = test {
        demo().use { model ->
            val summary = model.summarize(VoiceNote.text(NOTE))
            val value = async(start = CoroutineStart.LAZY) { summary.await() }
            val last = summary.snapshots.onEach { value.start() }.toList().last()
            assertEquals(last, value.await())
        }
    }

    @Test
    fun `a task that was stopped has no value, and one that failed fails each time`() = test {
        wide().use { model ->
            model.session().use { session ->
                val left = session.stream("A story?", ENDLESS)
                left.snapshots.first()
                assertFailsWith<SottoException.Cancelled> { left.await() }
                timeUntilQuiet()
                val stopped = session.stream("Another?", ENDLESS)
                val waiting = launch { stopped.await() }
                untilBusy()
                waiting.cancelAndJoin()
                assertFailsWith<SottoException.Cancelled> { stopped.await() }
            }
            val empty = model.summarize(VoiceNote.text(" "))
            repeat(2) { assertFailsWith<SottoException.InvalidInput> { empty.await() } }
        }
    }
}
