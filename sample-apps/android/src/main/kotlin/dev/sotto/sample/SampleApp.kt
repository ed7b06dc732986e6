package dev.sotto.sample

import android.app.Application
import android.net.Uri
import android.os.CancellationSignal
import android.provider.OpenableColumns
import dev.sotto.LoadOptions
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.Personal
import dev.sotto.Samples
import dev.sotto.Speech
import dev.sotto.descriptor
import dev.sotto.open
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.map
import java.io.File
import java.io.FileNotFoundException
import java.io.InputStream

/** Keeps what outlives a screen: the model is loaded once, and a rotated phone goes on with its summary. */
open class SampleApp : Application() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private val shelf by lazy {
        ModelShelf(scope, File(noBackupFilesDir, "models")) { file, folder -> LocalModel.load(file, LoadOptions(folder)) }
    }
    private val speechShelf by lazy { ModelShelf(scope, File(noBackupFilesDir, "speech")) { file, _ -> Speech.load(file) } }
    private val speechModels by lazy { SpeechModels(scope, speechShelf, notebook::hearWith) }

    val notebook by lazy { Notebook(scope, NoteStore(File(noBackupFilesDir, "notes")), Loudspeaker(), learning) }
    open val learning by lazy { Learning { Personal.open(this) } }
    val knowledge by lazy { Knowledge(scope, learning) { notebook.recommend() } }
    val dictation by lazy {
        val sound = { microphone(notebook.sound()) }
        val platform = SpeechRecognition(this, scope, sound)
        val model = SpeechModelRecognizer(scope, { sound().map { Samples.of(it) } }, speechModels::speech)
        Dictation(notebook) { if (speechModels.isInstalled) model else platform }
    }

    override fun onCreate() {
        super.onCreate()
        useKeptModel()
    }

    /** The build leaves it uncompressed, so that it can be read from within the app's own file. */
    fun useDemoModel() = useModel(R.string.demo_model) {
        assets.openFd(DEMO_MODEL).use { shelf.own(ModelFile.descriptor(it)) }
    }

    /** Uses the model file that a person has picked; if it is none, the one before. */
    fun useModel(picked: Uri) = useModel(R.string.chosen_model, otherwise = ::useKeptModel) { onProgress ->
        shelf.choose(document(picked), onProgress)
    }

    /** Hears with the speech model in the file that a person has picked. */
    fun useSpeechModel(picked: Uri) = speechModels.choose(getString(R.string.speech_model), document(picked))

    /** Hears with the platform's recognizer. */
    fun usePlatformSpeech() = speechModels.forget()

    /** Takes a text file that another app shares. */
    fun share(file: Uri) = notebook.share(document(file))

    private fun useKeptModel() = if (shelf.hasChosen) useModel(R.string.chosen_model) { shelf.chosen() } else useDemoModel()

    private fun useModel(name: Int, otherwise: () -> Unit = {}, load: suspend (onProgress: (Float) -> Unit) -> LocalModel) {
        dictation.cancel()
        notebook.useModel(getString(name), otherwise, load)
    }

    private fun document(uri: Uri) = Document({ sizeOf(uri, it) }, { open(uri, it) })

    private fun sizeOf(document: Uri, signal: CancellationSignal): Long? =
        contentResolver.query(document, arrayOf(OpenableColumns.SIZE), null, null, null, signal)?.use { cursor ->
            if (cursor.moveToFirst() && !cursor.isNull(0)) cursor.getLong(0) else null
        }

    private fun open(document: Uri, signal: CancellationSignal): InputStream =
        contentResolver.openAssetFileDescriptor(document, "r", signal)?.createInputStream()
            ?: throw FileNotFoundException("the document is gone")

    private companion object {
        const val DEMO_MODEL = "sotto-demo.gguf"
    }
}
