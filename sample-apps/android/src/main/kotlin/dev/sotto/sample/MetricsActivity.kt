package dev.sotto.sample

import android.app.Activity
import android.os.Bundle
import android.text.format.Formatter
import android.widget.TextView
import dev.sotto.Metrics
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** What the summaries cost. */
class MetricsActivity : Activity() {
    private val scope = MainScope()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.metrics)
        scope.launch { (application as SampleApp).notebook.state.collect { render(it.runs) } }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private fun render(runs: List<Run>) {
        findViewById<SpeedPlot>(R.id.plot).plot = Plot.of(runs)
        val figures = runs.lastOrNull()?.let { describe(it.metrics) } ?: getString(R.string.plot_empty)
        findViewById<TextView>(R.id.figures).text = figures
    }

    private fun describe(metrics: Metrics): String = getString(
        R.string.figures,
        metrics.prefillTokensPerSecond,
        metrics.decodeTokensPerSecond,
        metrics.timeToFirstToken,
        metrics.prefillTokens,
        metrics.reusedTokens,
        metrics.decodeTokens,
        Formatter.formatShortFileSize(this, metrics.privateBytes),
        Formatter.formatShortFileSize(this, metrics.mappedBytes),
        metrics.kernels,
        metrics.threads,
    )
}
