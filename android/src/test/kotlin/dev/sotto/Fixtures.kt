package dev.sotto

import com.sun.jna.Library
import com.sun.jna.Native
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.fail
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** The tests run in the folder of the Maven build. */
private val root = File("..")

val DEMO_FILE = root.resolve("sample-apps/demo-model/sotto-demo.gguf")

/** Two layers as wide as those of a real model, with random weights: `cargo xtask test-kotlin` makes it. */
val WIDE_FILE = root.resolve("target/test-models/wide.gguf")

val LABELS = listOf("urgent", "task", "ignorable", "attention")

const val NOTE =
    "Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by Thursday. " +
        "I need to send the release notes to Dana before lunch."

suspend fun demo(options: LoadOptions = LoadOptions()) = LocalModel.load(ModelFile.path(DEMO_FILE), options)

suspend fun wide(options: LoadOptions = LoadOptions()) = LocalModel.load(ModelFile.path(WIDE_FILE), options)

/** An answer that goes on for longer than any test. */
val ENDLESS = ChatOptions(maxTokens = 2000, format = AnswerFormat.regex("[a-z ]{2000}"))

internal interface LibC : Library {
    fun open(path: String, flags: Int): Int

    fun close(descriptor: Int): Int
}

internal val libC: LibC = Native.load("c", LibC::class.java)

/** Gives [block] a descriptor of this file, as a content provider gives one of a document. */
internal inline fun <T> File.opened(block: (Int) -> T): T {
    val descriptor = libC.open(path, 0)
    return try {
        block(descriptor)
    } finally {
        assertEquals(0, libC.close(descriptor), "somebody else has closed it")
    }
}

/** A test in real time. */
fun test(block: suspend CoroutineScope.() -> Unit): Unit = runBlocking { block() }

fun NoteSummary.withoutMetrics() = NoteSummary(title, overview, points, actions, coverage, metrics = null)

/** The names of the library's threads that work on a request now; engine threads are numbered. */
fun runningJobs(): Set<String> = File("/proc/self/task")
    .listFiles()
    .orEmpty()
    .mapNotNull { task -> runCatching { task.resolve("comm").readText().trim() }.getOrNull() }
    .filterTo(mutableSetOf()) { it.startsWith("sotto-") && it.last().isLetter() }

/** Waits until a request is worked on. */
suspend fun untilBusy() {
    while (runningJobs().isEmpty()) delay(1)
}

/** Waits until no request is worked on, and tells how long that took. */
suspend fun timeUntilQuiet(): Duration {
    val start = TimeSource.Monotonic.markNow()
    while (runningJobs().isNotEmpty()) {
        if (start.elapsedNow() > 20.seconds) fail("still at work: ${runningJobs()}")
        delay(1)
    }
    return start.elapsedNow()
}
