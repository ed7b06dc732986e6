package dev.sotto

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNull

/** What docs/android.md begins with, word for word. */
class NoteViewModel(private val app: Application) : AndroidViewModel(app) {
    private val file = ModelFile.path(File(app.noBackupFilesDir, "model.gguf"))
    private val loading = Mutex()
    private var loaded: LocalModel? = null
    val summary = MutableStateFlow<NoteSummary?>(null)
    val failure = MutableStateFlow<SottoException?>(null) // ModelNotFound: time to download it

    init {
        work { model() } // so that it is there when the note is
    }

    fun summarize(transcript: String) = work {
        model().summarize(VoiceNote.text(transcript)).snapshots.conflate().collect { summary.value = it }
    }

    // Loaded once. A load that failed is begun again by the next summary.
    private suspend fun model() = loading.withLock {
        loaded ?: LocalModel.load(app, file).also {
            addCloseable(it)
            loaded = it
        }
    }

    private fun work(block: suspend () -> Unit) = viewModelScope.launch {
        try {
            block()
            failure.value = null
        } catch (error: SottoException) {
            failure.value = error
        }
    }
}

/** As much of Android's as that needs. */
class Application(val noBackupFilesDir: File)

private suspend fun LocalModel.Companion.load(app: Application, file: ModelFile) =
    load(file, LoadOptions().cachedIn(File(app.noBackupFilesDir, "sotto")))

@Suppress("UNUSED_PARAMETER")
abstract class AndroidViewModel(app: Application) {
    private val closeables = mutableListOf<AutoCloseable>()

    @OptIn(ExperimentalCoroutinesApi::class)
    val viewModelScope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))

    fun addCloseable(closeable: AutoCloseable) {
        closeables += closeable
    }

    fun clear() = closeables.forEach(AutoCloseable::close)
}

class DocumentedTest {
    @Test
    fun `the quick start summarizes a note, and loads a model that came late`(@TempDir folder: File) = test {
        val quickStart = NoteViewModel(Application(folder))
        quickStart.summarize(NOTE).join()
        assertIs<SottoException.ModelNotFound>(quickStart.failure.value)
        DEMO_FILE.copyTo(folder.resolve("model.gguf"))
        repeat(2) { quickStart.summarize(NOTE).join() }
        assertEquals("Marcus", quickStart.summary.value?.actions?.first()?.owner)
        assertNull(quickStart.failure.value)
        quickStart.clear()
    }

    /** What is compiled here is what the document shows. */
    @Test
    fun `what the document shows compiles`() {
        val blocks = File("../docs/android.md").readText().split("```kotlin\n").drop(1).map { it.substringBefore("```") }
        val shown = blocks.single { "LocalModel.load(app, file)" in it }
        assertContains(File("src/test/kotlin/dev/sotto/DocumentedTest.kt").readText(), shown)
    }
}
