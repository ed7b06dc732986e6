package dev.sotto

import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import java.lang.management.ManagementFactory
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** The Java machine counts the threads that it starts, and those of others that are attached to it. */
class ThreadsTest {
    private val threads = ManagementFactory.getThreadMXBean()

    @Test
    fun `a request's thread is attached once, however much it streams`() = test {
        demo().use { model ->
            model.session().use { session ->
                session.stream("Hello", ENDLESS).snapshots.take(3).toList()
                val before = threads.totalStartedThreadCount
                assertEquals(PIECES, session.stream("Tell me a story.", ENDLESS).snapshots.take(PIECES).toList().size)
                val started = threads.totalStartedThreadCount - before
                assertTrue(started < PIECES / 5, "$started threads were started or attached for $PIECES pieces")
            }
        }
    }

    @Test
    fun `a thread that has ended is no longer attached`() = test {
        demo().use { model ->
            repeat(20) { model.classify("Buy milk.", LABELS) }
            timeUntilQuiet()
            val before = threads.threadCount
            repeat(50) { model.classify("Buy milk.", LABELS) }
            timeUntilQuiet()
            val more = threads.threadCount - before
            assertTrue(more < 20, "$more more threads are attached after 50 requests")
        }
    }

    private companion object {
        const val PIECES = 100
    }
}
