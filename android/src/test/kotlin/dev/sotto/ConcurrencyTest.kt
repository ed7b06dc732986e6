package dev.sotto

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.microseconds

class ConcurrencyTest {
    private val greedy = ChatOptions(maxTokens = 24, sampling = Sampling.GREEDY)

    @Test
    fun `eight at once get what each gets alone`() = test {
        demo().use { model ->
            val work: List<suspend () -> Any> =
                listOf(
                    { model.summarize(VoiceNote.text(NOTE)).await().withoutMetrics() },
                    { model.summarize(VoiceNote.text(NOTE)).snapshots.toList().map { it.withoutMetrics() } },
                    { model.classify("Buy milk.", LABELS).scores },
                    {
                        model.classifyAll(listOf("Buy milk.", "Sale!"), LABELS).snapshots.toList().map {
                            it.valueOrThrow().scores
                        }
                    },
                    { model.extract("now", TasksTest.Priority.serializer()).value },
                    { model.session().use { it.respond("Hello", greedy).text } },
                    { model.session().use { it.stream(NOTE, greedy).snapshots.toList() } },
                    { model.inspect(64).privateBytes },
                )
            val alone = work.map { it() }
            repeat(3) {
                assertEquals(alone, work.map { async(Dispatchers.Default) { it() } }.awaitAll())
            }
        }
    }

    @Test
    fun `closing a model while it is at work is safe`() = test {
        val random = Random(5)
        val finished = AtomicInteger()
        repeat(40) {
            val model = demo()
            val work = listOf<suspend () -> Unit>(
                { model.summarize(VoiceNote.text(NOTE)).snapshots.collect {} },
                { model.classify("Buy milk.", LABELS) },
                { model.session().use { it.respond("Hello", greedy) } },
            )
            val running = work.map {
                async(Dispatchers.Default) {
                    assertFailsWith<IllegalStateException> {
                        while (true) {
                            it()
                            finished.incrementAndGet()
                        }
                    }
                }
            }
            delay(random.nextInt(60_000).microseconds)
            List(2) { async(Dispatchers.Default) { model.close() } }.awaitAll()
            running.awaitAll()
        }
        assertTrue(finished.get() > 40, "only ${finished.get()} requests were answered before the end")
        timeUntilQuiet()
    }

    @Test
    fun `what is closed says so`() = test {
        val model = demo()
        val session = model.session()
        model.close()
        model.close()
        assertEquals(
            "the model is closed",
            assertFailsWith<IllegalStateException> {
                model.classify("text", LABELS)
            }.message,
        )
        assertFailsWith<IllegalStateException> { model.summarize(VoiceNote.text(NOTE)).snapshots.toList() }
        assertFailsWith<IllegalStateException> { model.inspect() }
        assertTrue(session.respond("A session outlives its model.", greedy).metrics.prefillTokens > 0)
        session.close()
        assertEquals("the session is closed", assertFailsWith<IllegalStateException> { session.respond("Hi") }.message)
    }
}
