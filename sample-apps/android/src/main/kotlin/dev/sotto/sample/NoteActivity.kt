package dev.sotto.sample

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ClipboardManager
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.os.Parcelable
import android.view.Menu
import android.view.MenuItem
import android.view.View
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** The note and its summary. Whatever a person does goes to the notebook; whatever it says is shown. */
class NoteActivity : Activity() {
    private val scope = MainScope()
    private val app get() = application as SampleApp
    private val notebook get() = app.notebook
    private var question: AlertDialog? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.note)
        onClick(R.id.record) { if (notebook.state.value.phase == Phase.LISTENING) app.dictation.end() else record() }
        onClick(R.id.paste) { notebook.paste(clipboard()) }
        onClick(R.id.summarize) { if (notebook.state.value.phase == Phase.IDLE) summarize() else app.dictation.cancel() }
        onClick(R.id.trouble) { notebook.trouble(null) }
        // A rotated screen is created anew with the intent that it had.
        if (savedInstanceState == null) take(intent)
        val screen = NoteScreen(findViewById(R.id.screen), notebook::tap)
        scope.launch { notebook.state.collect(screen::render) }
        scope.launch { notebook.state.map { it.offered != null }.distinctUntilChanged().collect(::askToReplace) }
        scope.launch {
            val summarizing = notebook.state.map { it.phase == Phase.SUMMARIZING }.distinctUntilChanged()
            summarizing.filter { it }.collect { SummaryService.start(app) }
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    override fun onStop() {
        // The microphone is for apps that can be seen.
        if (!isChangingConfigurations) app.dictation.end()
        super.onStop()
    }

    override fun onDestroy() {
        scope.cancel()
        question?.dismiss()
        super.onDestroy()
    }

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.note, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.choose_model -> startActivityForResult(openAnyFile(), PICK_MODEL)
            R.id.use_demo_model -> app.useDemoModel()
            R.id.choose_speech_model -> startActivityForResult(openAnyFile(), PICK_SPEECH_MODEL)
            R.id.use_platform_speech -> app.usePlatformSpeech()
            R.id.show_metrics -> startActivity(Intent(this, MetricsActivity::class.java))
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    @Deprecated("The framework's own way to get a result")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val picked = data?.data?.takeIf { resultCode == RESULT_OK } ?: return
        when (requestCode) {
            PICK_MODEL -> app.useModel(picked)
            PICK_SPEECH_MODEL -> app.useSpeechModel(picked)
        }
    }

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<out String>, grantResults: IntArray) {
        if (requestCode != MICROPHONE) return
        if (isAllowed(Manifest.permission.RECORD_AUDIO)) app.dictation.begin() else notebook.trouble(Trouble.MICROPHONE_DENIED)
    }

    /** A text, or a file of it, that another app shares. */
    private fun take(intent: Intent) {
        if (intent.action != Intent.ACTION_SEND) return
        // From the list of recent apps comes the intent of then, whose text was taken then.
        if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return
        // It may be styled: then it is no String.
        val text = intent.getCharSequenceExtra(Intent.EXTRA_TEXT)?.toString().orEmpty()
        val file = fileIn(intent)
        if (text.isBlank() && file != null) app.share(file) else notebook.share(text)
    }

    /** Android 8 has no typed way to get it; and it can be anything. */
    @Suppress("DEPRECATION")
    private fun fileIn(intent: Intent) = intent.getParcelableExtra<Parcelable>(Intent.EXTRA_STREAM) as? Uri

    /** Asks, while that [isOpen], whether another note is to take the place of a spoken one. */
    private fun askToReplace(isOpen: Boolean) {
        question?.dismiss()
        if (!isOpen) return
        question = AlertDialog.Builder(this)
            .setMessage(R.string.replace_spoken)
            .setOnCancelListener { notebook.declineOffer() }
            .setPositiveButton(R.string.replace) { _, _ -> app.dictation.acceptOffer() }
            .setNegativeButton(R.string.keep) { _, _ -> notebook.declineOffer() }
            .show()
    }

    private fun summarize() {
        askForNotifications()
        notebook.summarize()
    }

    private fun record() {
        if (isAllowed(Manifest.permission.RECORD_AUDIO)) {
            app.dictation.begin()
        } else {
            requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), MICROPHONE)
        }
    }

    /** So that a summary can be seen and cancelled from elsewhere; it is made without them, too. */
    private fun askForNotifications() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
        if (isAllowed(Manifest.permission.POST_NOTIFICATIONS)) return
        requestPermissions(arrayOf(Manifest.permission.POST_NOTIFICATIONS), NOTIFICATIONS)
    }

    private fun isAllowed(permission: String) = checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED

    private fun clipboard(): String {
        val clip = getSystemService(ClipboardManager::class.java).primaryClip?.takeIf { it.itemCount > 0 }
        return clip?.getItemAt(0)?.coerceToText(this)?.toString().orEmpty()
    }

    /** Neither GGUF nor whisper.cpp's files have a media type of their own. */
    private fun openAnyFile() = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("*/*")

    private fun onClick(id: Int, act: () -> Unit) = findViewById<View>(id).setOnClickListener { act() }

    private companion object {
        const val PICK_MODEL = 1
        const val MICROPHONE = 2
        const val NOTIFICATIONS = 3
        const val PICK_SPEECH_MODEL = 4
    }
}
