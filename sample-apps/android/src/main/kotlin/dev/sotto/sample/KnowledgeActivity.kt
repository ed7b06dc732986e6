package dev.sotto.sample

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.view.Menu
import android.view.MenuItem
import dev.sotto.Personal
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import java.io.FileNotFoundException

/** All that the app has learnt about the person who uses it: to read, delete, pause and take along. */
class KnowledgeActivity : Activity() {
    private val scope = screenScope()
    private val app get() = application as SampleApp
    private val knowledge get() = app.knowledge
    private var question: AlertDialog? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.knowledge)
        showEdgeToEdge(findViewById(R.id.screen))
        useToolbar(findViewById(R.id.toolbar), isHome = false)
        val titles = { id: String -> app.notebook.state.value.notes.find { it.id == id }?.titleWords }
        val screen = KnowledgeScreen(findViewById(R.id.screen), titles, knowledge::pause, ::ask, knowledge::dismiss)
        scope.launch { knowledge.state.collect(screen::render) }
        knowledge.refresh()
    }

    override fun onDestroy() {
        scope.cancel()
        question?.dismiss()
        super.onDestroy()
    }

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.knowledge, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.export -> startActivityForResult(newFile(), EXPORT)
            R.id.delete_all -> askToDeleteAll()
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    @Deprecated("The framework's own way to get a result")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val target = data?.data?.takeIf { requestCode == EXPORT && resultCode == RESULT_OK } ?: return
        knowledge.export(cacheDir) {
            contentResolver.openOutputStream(target)
                ?: throw FileNotFoundException("the document is gone")
        }
    }

    /** Shows a whole record, and what can be done with it. */
    private fun ask(record: Personal.Record, words: String) {
        question = deletionOf(words, R.string.delete) { knowledge.delete(record) }
            .setNeutralButton(R.string.forget_note) { _, _ -> knowledge.forget(record.note) }
            .show()
    }

    private fun askToDeleteAll() {
        question = deletionOf(getString(R.string.delete_all_question), R.string.delete_all) { knowledge.deleteAll() }.show()
    }

    private fun newFile() = Intent(Intent.ACTION_CREATE_DOCUMENT)
        .addCategory(Intent.CATEGORY_OPENABLE)
        .setType("application/json")
        .putExtra(Intent.EXTRA_TITLE, "sotto.json")

    private companion object {
        const val EXPORT = 1
    }
}
