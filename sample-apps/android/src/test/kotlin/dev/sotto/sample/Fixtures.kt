package dev.sotto.sample

import android.os.CancellationSignal
import dev.sotto.LoadOptions
import dev.sotto.LocalModel
import dev.sotto.Metrics
import dev.sotto.ModelFile
import dev.sotto.Personal
import dev.sotto.Segment
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.io.path.createTempDirectory
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds

/** The tests run in the folder of the Maven build. */
val DEMO_FILE = File("../demo-model/sotto-demo.gguf")

const val NOTE =
    "Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by Thursday. " +
        "I need to send the release notes to Dana before lunch."

/** Runs [block] with an empty notebook that has the demo model, all on this thread. */
fun withNotebook(player: Player = Playlist(), block: suspend Notebook.() -> Unit) {
    val folder = createTempDirectory().toFile()
    try {
        withNotebook(NoteStore(folder), player, block = block)
    } finally {
        folder.deleteRecursively()
    }
}

/** The same with a notebook that goes on with the notes in [store]. */
fun withNotebook(
    store: NoteStore,
    player: Player = Playlist(),
    learning: Learning? = null,
    block: suspend Notebook.() -> Unit,
): Unit = runBlocking {
    val folder = createTempDirectory().toFile()
    val learnt = learning ?: Learning { Personal.open(File(folder, "personal")) }
    val scope = CoroutineScope(coroutineContext + SupervisorJob())
    try {
        val notebook = Notebook(scope, store, player, learnt)
        notebook.useModel("demo") { demo() }
        withTimeout(60.seconds) {
            notebook.until { canListen }
            notebook.block()
        }
    } finally {
        scope.cancel()
        if (learning == null) learnt.store().close()
        folder.deleteRecursively()
    }
}

/** Tells what it is to play. */
class Playlist : Player {
    val played = mutableListOf<Pair<File, ClosedFloatingPointRange<Double>>>()
    var isPlaying = false

    override fun play(file: File, seconds: ClosedFloatingPointRange<Double>) {
        played += file to seconds
        isPlaying = true
    }

    override fun stop() {
        isPlaying = false
    }
}

/** What a recognizer that knows no times has heard. */
fun said(text: String) = listOf(Segment(0, text))

/** A shelf of language models. */
fun modelShelf(scope: CoroutineScope, folder: File) =
    ModelShelf(scope, folder) { file, cacheFolder -> LocalModel.load(file, LoadOptions(cacheFolder)) }

/** A document that is there at once. */
fun document(bytes: ByteArray) = document { bytes.inputStream() }

/** A document whose length is not known. */
fun document(open: (CancellationSignal) -> InputStream) = Document({ null }, open)

/** Of this nothing comes, until it is closed. */
class Silent : InputStream() {
    val isRead = CountDownLatch(1)
    val closed = CountDownLatch(1)

    override fun read(): Int {
        isRead.countDown()
        closed.await()
        throw IOException("the stream is closed")
    }

    override fun close() = closed.countDown()
}

/** Waits for it, though not for ever, and lets this thread do other things. */
suspend fun CountDownLatch.untilReached() = withContext(Dispatchers.IO) { assertTrue(await(10, SECONDS)) }

/** Cancels the job once it is that far; it has to end soon. */
suspend fun Job.cancelOnce(point: CountDownLatch) {
    point.untilReached()
    cancel()
    withTimeout(10.seconds) { join() }
}

/** What a summary costs that reads and writes at these speeds, in tokens per second. */
fun metrics(read: Double, written: Double, tokens: Int = 100) = Metrics(
    timeToFirstToken = tokens / read,
    prefillTokens = tokens,
    prefillSeconds = tokens / read,
    reusedTokens = 0,
    decodeTokens = tokens,
    decodeSeconds = if (written > 0) tokens / written else 0.0,
    privateBytes = 38_000_000,
    mappedBytes = 27_000_000,
    kernels = "scalar",
    threads = 2,
)

suspend fun demo() = LocalModel.load(ModelFile.path(DEMO_FILE))

/** The first state that meets [condition]. */
suspend fun Notebook.until(condition: NoteState.() -> Boolean): NoteState = state.first { it.condition() }

suspend fun Notebook.untilIdle(): NoteState = until { phase == Phase.IDLE }
