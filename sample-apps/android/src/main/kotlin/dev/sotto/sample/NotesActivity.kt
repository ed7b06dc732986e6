package dev.sotto.sample

import android.app.Activity
import android.content.ClipboardManager
import android.content.Intent
import android.os.Bundle
import android.view.Menu
import android.view.MenuItem
import android.view.View
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** All notes, and what a new one is made from; in the menu, the models and what they cost. */
class NotesActivity : Activity() {
    private val scope = screenScope()
    private val app get() = application as SampleApp
    private val notebook get() = app.notebook

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.notes)
        showEdgeToEdge(findViewById(R.id.screen))
        useToolbar(findViewById(R.id.toolbar), isHome = true)
        findViewById<View>(R.id.record).setOnClickListener { record() }
        findViewById<View>(R.id.paste).setOnClickListener { paste() }
        val screen = NotesScreen(findViewById(R.id.screen), ::open) { notebook.trouble(null) }
        scope.launch { notebook.state.collect(screen::render) }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.notes, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.choose_model -> startActivityForResult(openAnyFile(), PICK_MODEL)
            R.id.use_demo_model -> app.useDemoModel()
            R.id.choose_speech_model -> startActivityForResult(openAnyFile(), PICK_SPEECH_MODEL)
            R.id.use_platform_speech -> app.usePlatformSpeech()
            R.id.show_knowledge -> startActivity(Intent(this, KnowledgeActivity::class.java))
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

    private fun open(id: String) {
        notebook.open(id)
        if (notebook.state.value.id == id) show(Intent.ACTION_VIEW)
    }

    private fun record() {
        notebook.close()
        show(NoteActivity.ACTION_RECORD)
    }

    private fun paste() {
        val before = notebook.state.value.id
        notebook.paste(clipboard())
        if (notebook.state.value.id != before) show(Intent.ACTION_VIEW)
    }

    private fun show(action: String) = startActivity(Intent(this, NoteActivity::class.java).setAction(action))

    private fun clipboard(): String {
        val clip = getSystemService(ClipboardManager::class.java).primaryClip?.takeIf { it.itemCount > 0 }
        return clip?.getItemAt(0)?.coerceToText(this)?.toString().orEmpty()
    }

    /** Neither GGUF nor whisper.cpp's files have a media type of their own. */
    private fun openAnyFile() = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("*/*")

    private companion object {
        const val PICK_MODEL = 1
        const val PICK_SPEECH_MODEL = 2
    }
}
