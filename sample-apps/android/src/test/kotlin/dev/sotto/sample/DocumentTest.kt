package dev.sotto.sample

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.util.concurrent.CountDownLatch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals

class DocumentTest {
    private val caller = Thread.currentThread()
    private val scope = CoroutineScope(Job())

    @Test
    fun `a text file gives its text, with or without a mark before it`() = runBlocking {
        assertEquals("Grüße 🎉", document("Grüße 🎉".toByteArray()).text())
        assertEquals("Buy milk.", document("\uFEFFBuy milk.".toByteArray()).text())
        val longest = "a".repeat(Document.LONGEST_TEXT)
        assertEquals(longest, document(longest.toByteArray()).text())
    }

    @Test
    fun `what is no text, or too much of it, is told`() = runBlocking {
        suspend fun troubleWith(document: Document) = Trouble.of(assertFailsWith<Exception> { document.text() })
        assertEquals(Trouble.NOTE_TOO_LONG, troubleWith(document(ByteArray(Document.LONGEST_TEXT + 1))))
        assertEquals(Trouble.FILE_UNREADABLE, troubleWith(document("Grüße".toByteArray(Charsets.UTF_16))))
        assertEquals(Trouble.FILE_UNREADABLE, troubleWith(document { throw IOException("the card was pulled out") }))
        assertEquals(Trouble.FILE_UNREADABLE, troubleWith(document { throw SecurityException("it is private") }))
    }

    @Test
    fun `nothing is asked of another app on the caller's thread`() = runBlocking {
        val asked = mutableListOf<Thread>()
        val document = Document({ 5L.also { asked += Thread.currentThread() } }, {
            asked += Thread.currentThread()
            "words".byteInputStream()
        })
        assertEquals(5, document.size())
        document.read { _, count -> assertEquals(5, count) }
        assertEquals(2, asked.size)
        asked.forEach { assertNotEquals(caller, it) }
    }

    @Test
    fun `whoever is cancelled goes on at once, and a file that comes late is closed`() = runBlocking {
        val (asked, told, answer) = List(3) { CountDownLatch(1) }
        val late = Silent()
        val document = document { signal ->
            signal.setOnCancelListener(told::countDown)
            asked.countDown()
            answer.await()
            late
        }
        scope.launch { document.text() }.cancelOnce(asked)
        told.untilReached()
        answer.countDown()
        late.closed.untilReached()
    }

    @Test
    fun `whoever is cancelled while nothing comes closes the file`() = runBlocking {
        val silent = Silent()
        scope.launch { document { silent }.text() }.cancelOnce(silent.isRead)
        silent.closed.untilReached()
    }
}
