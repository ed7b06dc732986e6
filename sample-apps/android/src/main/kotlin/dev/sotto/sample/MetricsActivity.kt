package dev.sotto.sample

import android.app.Activity
import android.os.Bundle
import android.text.format.Formatter
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import dev.sotto.Metrics
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** How fast the summaries were written, and what the latest one cost. */
class MetricsActivity : Activity() {
    private val scope = screenScope()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.metrics)
        showEdgeToEdge(findViewById(R.id.screen))
        useToolbar(findViewById(R.id.toolbar), isHome = false)
        scope.launch { (application as SampleApp).notebook.state.collect { render(it.runs) } }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Shows what these summaries cost. */
    fun render(runs: List<Metrics>) {
        findViewById<SpeedPlot>(R.id.plot).speeds = Speeds.of(runs)
        val latest = runs.lastOrNull()
        for (id in listOf(R.id.plot_card, R.id.latest, R.id.figures)) findViewById<View>(id).isVisible = latest != null
        findViewById<View>(R.id.empty).isVisible = latest == null
        findViewById<ViewGroup>(R.id.figures).fill(latest?.let(::figures).orEmpty(), R.layout.figure) { (name, value) ->
            findViewById<TextView>(R.id.name).setText(name)
            findViewById<TextView>(R.id.value).text = value
        }
    }

    /** The figures of a summary, in the words of the screen. */
    private fun figures(metrics: Metrics): List<Pair<Int, String>> = listOf(
        R.string.figure_first_word to getString(R.string.seconds, metrics.timeToFirstToken),
        R.string.figure_read to tokens(metrics.prefillTokens),
        R.string.figure_known to tokens(metrics.reusedTokens),
        R.string.figure_written to tokens(metrics.decodeTokens),
        R.string.figure_memory to Formatter.formatShortFileSize(this, metrics.privateBytes),
        R.string.figure_model_file to Formatter.formatShortFileSize(this, metrics.mappedBytes),
        R.string.figure_threads to resources.getQuantityString(R.plurals.cores, metrics.threads, metrics.threads),
    )

    private fun tokens(count: Int) = resources.getQuantityString(R.plurals.tokens, count, count)
}
