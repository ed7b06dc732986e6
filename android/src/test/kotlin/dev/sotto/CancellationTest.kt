package dev.sotto

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime

class CancellationTest {
    /** Long enough to keep a prefill busy for a second. */
    private val longText = "Marcus will write a test for it by Thursday. ".repeat(60)

    /** Starts [work], cancels it after [after], and tells how long the native work went on from there. */
    private suspend fun CoroutineScope.cancelAfter(after: Duration, work: suspend () -> Unit): Duration {
        val job = launch(start = CoroutineStart.UNDISPATCHED) { work() }
        delay(after)
        return job.timeToStop()
    }

    private suspend fun Job.timeToStop(): Duration = measureTime {
        cancelAndJoin()
        timeUntilQuiet()
    }

    private fun assertPrompt(times: List<Duration>) {
        // One pause of the machine is not ours: most of them count.
        assertTrue(times.sorted()[times.size / 2] < 100.milliseconds, "native work went on: $times")
        assertTrue(times.max() < 1000.milliseconds, "native work went on: $times")
    }

    @Test
    fun `a cancelled prefill stops`() = test {
        wide().use { model ->
            val times =
                List(8) { index ->
                    val job = launch(start = CoroutineStart.UNDISPATCHED) {
                        model.classify(longText, LABELS)
                        throw AssertionError("the prefill was over before it could be cancelled")
                    }
                    while (runningJobs().isEmpty()) delay(1.milliseconds)
                    delay((20 + 40 * index).milliseconds)
                    assertEquals(setOf("sotto-classify"), runningJobs())
                    job.timeToStop()
                }
            assertPrompt(times)
        }
    }

    @Test
    fun `cancelled at any moment, work stops and the model works on`() = test {
        val random = Random(7)
        val note = VoiceNote.text(NOTE)
        demo().use { model ->
            val expected = model.summarize(note).await().withoutMetrics()
            val whole = measureTime { model.summarize(note).await() }
            val times =
                List(40) {
                    cancelAfter(whole * random.nextDouble(1.1)) { model.summarize(note).snapshots.collect {} }
                }
            assertPrompt(times)
            assertEquals(expected, model.summarize(note).await().withoutMetrics())
        }
    }

    @Test
    fun `a collector that breaks off stops the work`() = test {
        wide().use { model ->
            model.session().use { session ->
                val times =
                    List(5) {
                        session.stream("Tell me a story.", ENDLESS).snapshots.first()
                        timeUntilQuiet()
                    }
                assertPrompt(times)
            }
        }
    }

    @Test
    fun `a collector that fails stops the work`() = test {
        wide().use { model ->
            val failure =
                runCatching {
                    model.session().use { session ->
                        session.stream("Tell me a story.", ENDLESS).snapshots.collect { error("mine") }
                    }
                }
            assertEquals("mine", failure.exceptionOrNull()?.message)
            assertPrompt(listOf(timeUntilQuiet()))
        }
    }

    @Test
    fun `a timeout is a cancellation`() = test {
        wide().use { model ->
            assertNull(withTimeoutOrNull(50) { model.classify(longText, LABELS) })
            assertPrompt(listOf(timeUntilQuiet()))
        }
    }

    @Test
    fun `cancelled while a copy is packed, nothing is left`(@TempDir folder: File) = test {
        repeat(10) { index ->
            cancelAfter((2 * index).milliseconds) { wide(LoadOptions(cacheFolder = folder)).close() }
            assertTrue(folder.listFiles().orEmpty().all { it.extension == "sotto" }, "an unfinished file is left")
            folder.listFiles().orEmpty().forEach(File::delete)
        }
    }

    @Test
    fun `loading and starting sessions can be cancelled at any moment`() = test {
        val random = Random(11)
        repeat(60) {
            cancelAfter((random.nextInt(20_000)).microseconds) {
                demo().use { model -> model.session().use { it.respond("Hi", ChatOptions(maxTokens = 2)) } }
            }
        }
        demo().use { model ->
            assertEquals("urgent", model.classify("The basement is flooding, come right now!", LABELS).label)
        }
    }
}
