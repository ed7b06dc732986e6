package dev.sotto.sample

import dev.sotto.LocalModel
import dev.sotto.ModelFile
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.io.File
import kotlin.io.path.createTempDirectory
import kotlin.time.Duration.Companion.seconds

/** The tests run in the folder of the Maven build. */
val DEMO_FILE = File("../demo-model/sotto-demo.gguf")

const val NOTE =
    "Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by Thursday. " +
        "I need to send the release notes to Dana before lunch."

/** Runs [block] with an empty notebook that has the demo model, all on this thread. */
fun withNotebook(block: suspend Notebook.() -> Unit) {
    val folder = createTempDirectory().toFile()
    try {
        withNotebook(NoteStore(folder.resolve("note.json")), block)
    } finally {
        folder.deleteRecursively()
    }
}

/** The same with a notebook that goes on with the note in [store]. */
fun withNotebook(store: NoteStore, block: suspend Notebook.() -> Unit): Unit = runBlocking {
    val scope = CoroutineScope(coroutineContext + SupervisorJob())
    try {
        val notebook = Notebook(scope, store)
        notebook.useModel("demo") { demo() }
        withTimeout(60.seconds) {
            notebook.until { canListen }
            notebook.block()
        }
    } finally {
        scope.cancel()
    }
}

suspend fun demo() = LocalModel.load(ModelFile.path(DEMO_FILE))

/** The first state that meets [condition]. */
suspend fun Notebook.until(condition: NoteState.() -> Boolean): NoteState = state.first { it.condition() }

suspend fun Notebook.untilIdle(): NoteState = until { phase == Phase.IDLE }
