package dev.sotto

import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime

class NoteSessionTest {
    private val note = VoiceNote.text(NOTE)

    private suspend fun LocalModel.hear(note: VoiceNote, pause: Duration = Duration.ZERO) = noteSession().also { session ->
        for (segment in note.segments) {
            session.append(segment)
            delay(pause)
        }
    }

    @Test
    fun `a note that was heard is summarized as one that was read, and sooner`() = test {
        demo().use { model ->
            val expected = model.summarize(note).snapshots.toList()
            // A busy machine reads slowly; one that never reads ahead fails at every pace.
            val left = listOf(50, 300, 2000).asSequence().map { pause -> heard(model, pause.milliseconds, expected) }
            assertTrue(left.any { it <= 6 }, "more than six tokens were left for the end")
        }
    }

    private fun heard(model: LocalModel, pause: Duration, expected: List<NoteSummary>): Int {
        lateinit var summary: List<NoteSummary>
        test { summary = model.hear(note, pause).use { it.finish().snapshots.toList() } }
        assertEquals(expected.map { it.withoutMetrics() }, summary.map { it.withoutMetrics() })
        return summary.last().metrics!!.prefillTokens
    }

    @Test
    fun `once it has ended nothing can be appended`() = test {
        demo().use { model ->
            model.hear(note).use { session ->
                assertEquals(note.segments, session.note.segments)
                val summary = session.finish()
                session.append(Segment(0, "Buy milk, too."))
                summary.await()
                assertFailsWith<SottoException.InvalidInput> { session.append(Segment(0, "Too late.")) }
                assertEquals(5, session.note.segments.size)
                assertEquals(summary.await().actions, session.finish().await().actions)
            }
        }
    }

    @Test
    fun `a closed one says so`() = test {
        demo().use { model ->
            val session = model.hear(note)
            session.close()
            session.close()
            assertFailsWith<IllegalStateException> { session.append(Segment(0, "text")) }
            assertFailsWith<IllegalStateException> { session.note }
            val failure = assertFailsWith<IllegalStateException> { session.finish().await() }
            assertEquals("the note session is closed", failure.message)
            assertFailsWith<SottoException.InvalidInput> { model.noteSession().use { it.finish().await() } }
        }
        timeUntilQuiet()
    }

    @Test
    fun `appending never waits for the model, and closing stops it`() = test {
        val long = Segment(0, "Marcus will write a test for it by Thursday. ".repeat(25))
        wide().use { model ->
            val times =
                List(5) { index ->
                    val session = model.noteSession()
                    val appended = measureTime { repeat(2) { session.append(long) } }
                    assertTrue(appended < 50.milliseconds, "appending took $appended")
                    while (runningJobs().isEmpty()) delay(1.milliseconds)
                    delay((30 + 40 * index).milliseconds)
                    assertTrue("sotto-listen" in runningJobs())
                    session.close()
                    timeUntilQuiet()
                }
            assertTrue(times.sorted()[2] < 100.milliseconds, "native work went on: $times")
        }
    }

    @Test
    fun `a cancelled end can be asked for again`() = test {
        demo().use { model ->
            model.hear(note).use { session ->
                session.finish().snapshots.first()
                val ending = launch { session.finish().await() }
                delay(5)
                ending.cancelAndJoin()
                assertEquals(model.summarize(note).await().actions, session.finish().await().actions)
            }
        }
    }
}
