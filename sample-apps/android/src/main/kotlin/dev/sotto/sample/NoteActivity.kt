package dev.sotto.sample

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.os.Parcelable
import android.view.Menu
import android.view.MenuItem
import android.view.View
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** A note and its summary. Whatever a person does goes to the notebook; whatever it says is shown. */
class NoteActivity :
    Activity(),
    NoteActions {
    private val scope = screenScope()
    private val app get() = application as SampleApp
    private val notebook get() = app.notebook
    private var question: AlertDialog? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.note)
        showEdgeToEdge(findViewById(R.id.screen))
        useToolbar(findViewById(R.id.toolbar), isHome = false)
        onClick(R.id.record) { if (notebook.state.value.phase == Phase.LISTENING) app.dictation.end() else record() }
        onClick(R.id.summarize) { if (notebook.state.value.phase == Phase.IDLE) summarize() else app.dictation.cancel() }
        // A rotated screen is created anew with the intent that it had.
        if (savedInstanceState == null) take(intent) else reopen(savedInstanceState)
        val screen = NoteScreen(findViewById(R.id.screen), this)
        scope.launch { notebook.state.collect(screen::render) }
        scope.launch {
            notebook.state.map { it.canShare to it.wanted }.distinctUntilChanged().collect { invalidateOptionsMenu() }
        }
        scope.launch {
            val summarizing = notebook.state.map { it.phase == Phase.SUMMARIZING }.distinctUntilChanged()
            summarizing.filter { it }.collect { SummaryService.start(app) }
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putString(SHOWN, notebook.state.value.id)
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

    override fun onPrepareOptionsMenu(menu: Menu): Boolean {
        val state = notebook.state.value
        menu.findItem(R.id.share).isVisible = state.canShare
        menu.findItem(R.id.delete).isVisible = state.canShare
        for ((id, more) in listOf(R.id.more_like_this to true, R.id.not_this to false)) {
            menu.findItem(id).setVisible(state.canShare).isChecked = state.wanted == more
        }
        return super.onPrepareOptionsMenu(menu)
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.share -> share()
            R.id.delete -> askToDelete()
            R.id.more_like_this -> notebook.want(more = true)
            R.id.not_this -> notebook.want(more = false)
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<out String>, grantResults: IntArray) {
        if (requestCode != MICROPHONE) return
        if (isAllowed(Manifest.permission.RECORD_AUDIO)) app.dictation.begin() else notebook.trouble(Trouble.MICROPHONE_DENIED)
    }

    override fun tap(evidence: List<Int>) = notebook.tap(evidence)

    override fun tick(action: Int) = notebook.tick(action)

    override fun relabel() {
        val labels = Learning.LABELS
        val chosen = labels.indexOf(notebook.state.value.label)
        question = AlertDialog.Builder(this)
            .setTitle(R.string.right_label)
            .setSingleChoiceItems(labels.map(::labelWords).toTypedArray(), chosen) { dialog, which ->
                notebook.correct(labels[which])
                dialog.dismiss()
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    override fun dismissTrouble() = notebook.trouble(null)

    /** What the screen was opened for: a text, or a file of it, that another app shares, or a note that is to be spoken. */
    private fun take(intent: Intent) {
        // From the list of recent apps comes the intent of then, whose text was taken then.
        if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return
        when (intent.action) {
            ACTION_RECORD -> record()

            Intent.ACTION_SEND -> {
                // It may be styled: then it is no String.
                val text = intent.getCharSequenceExtra(Intent.EXTRA_TEXT)?.toString().orEmpty()
                val file = fileIn(intent)
                if (text.isBlank() && file != null) app.share(file) else notebook.share(text)
            }
        }
    }

    /** Android has ended the app meanwhile: the note is in its file. */
    private fun reopen(saved: Bundle) {
        if (notebook.state.value.id == null) saved.getString(SHOWN)?.let(notebook::open)
    }

    /** Android 8 has no typed way to get it; and it can be anything. */
    @Suppress("DEPRECATION")
    private fun fileIn(intent: Intent) = intent.getParcelableExtra<Parcelable>(Intent.EXTRA_STREAM) as? Uri

    private fun share() {
        val text = textOf(notebook.state.value)
        val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
        startActivity(Intent.createChooser(send, getString(R.string.share)))
    }

    private fun askToDelete() {
        val id = notebook.state.value.id ?: return
        question = deletionOf(getString(R.string.delete_question), R.string.delete) {
            notebook.delete(id)
            finish()
        }.show()
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

    private fun onClick(id: Int, act: () -> Unit) = findViewById<View>(id).setOnClickListener { act() }

    companion object {
        /** Opens the screen for a note that is to be spoken. */
        const val ACTION_RECORD = "dev.sotto.sample.RECORD"
        private const val SHOWN = "note"
        private const val MICROPHONE = 1
        private const val NOTIFICATIONS = 2
    }
}
