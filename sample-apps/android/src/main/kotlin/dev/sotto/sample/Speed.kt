package dev.sotto.sample

import dev.sotto.Metrics
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.pow
import kotlin.time.Duration

/** One answer of the model: when it was ready, since the start of the app, and what it cost. */
data class Run(val at: Duration, val metrics: Metrics)

/** A plot of speeds over time: its points, from 0 to 1 in both directions, and the speed at its top. */
data class Plot(val points: List<Pair<Float, Float>>, val top: Double) {
    companion object {
        /** The tokens per second at which each run wrote. */
        fun of(runs: List<Run>): Plot {
            val written = runs.filter { it.metrics.decodeTokensPerSecond > 0 }
            if (written.isEmpty()) return Plot(emptyList(), 1.0)
            val top = roundNumberAbove(written.maxOf { it.metrics.decodeTokensPerSecond })
            val begin = written.first().at
            val span = (written.last().at - begin).takeIf { it > Duration.ZERO }
            val points = written.map { run ->
                val across = span?.let { (run.at - begin) / it } ?: 0.5
                across.toFloat() to (run.metrics.decodeTokensPerSecond / top).toFloat()
            }
            return Plot(points, top)
        }

        /** 1, 2 or 5 times a power of ten. */
        private fun roundNumberAbove(value: Double): Double {
            val power = 10.0.pow(floor(log10(value)))
            return listOf(1, 2, 5, 10).map { it * power }.first { it >= value }
        }
    }
}
