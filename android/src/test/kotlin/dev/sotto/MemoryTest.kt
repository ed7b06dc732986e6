package dev.sotto

import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertTrue

/** A thousand models leave nothing behind. */
class MemoryTest {
    /** What this process holds of the system's. */
    private fun held() = mapOf(
        "open files" to entries("fd"),
        "threads" to entries("task"),
        "mappings" to process("maps").readLines().size,
    )

    private fun process(name: String) = File("/proc/self", name)

    private fun entries(folder: String) = process(folder).list().orEmpty().size

    /** Resident private memory of this process, in bytes. */
    private fun privateMemory(): Long {
        val line = process("status").readLines().first { it.startsWith("RssAnon:") }
        return line.filter(Char::isDigit).toLong() * 1024
    }

    @Test
    fun `a thousand loads leave nothing behind`(@TempDir folder: File) = test {
        val packed = folder.resolve("demo.sotto").also { LocalModel.pack(DEMO_FILE, it) }
        val loads = listOf<suspend () -> LocalModel>(
            { demo() },
            { LocalModel.load(ModelFile.path(packed)) },
            { packed.opened { LocalModel.load(ModelFile.descriptor(it)) } },
        )

        suspend fun cycles(count: Int) = repeat(count) { index ->
            loads[index % loads.size]().use { model ->
                if (index % 10 == 0) model.session().use { it.respond("Hi", ChatOptions(maxTokens = 1)) }
            }
        }
        cycles(200)
        timeUntilQuiet()
        val (before, memory) = held() to privateMemory()
        cycles(1000)
        timeUntilQuiet()
        val (after, grown) = held() to privateMemory() - memory
        println("after 1,000 loads: ${grown / 1024} KiB more than after 200, of ${memory / 1024} KiB; $before, then $after")
        // The Java heap is resident as a whole from the start (pom.xml), so what grows is native.
        assertTrue(grown < 4L shl 20, "private memory grew by $grown bytes")
        // The Java machine's own come and go, but not by the hundred.
        for ((what, count) in after) assertTrue(count < before.getValue(what) + 20, "$what: $before, then $after")
    }
}
