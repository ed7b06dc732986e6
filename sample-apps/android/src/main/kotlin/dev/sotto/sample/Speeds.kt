package dev.sotto.sample

import dev.sotto.Metrics
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.pow

/** How fast the model read and wrote in each summary, in tokens per second, and a round number above all of them. */
data class Speeds(val read: List<Double>, val written: List<Double>, val top: Double) {
    companion object {
        /** A summary without a word tells nothing. */
        fun of(runs: List<Metrics>): Speeds {
            val told = runs.filter { it.prefillTokensPerSecond > 0 && it.decodeTokensPerSecond > 0 }
            val read = told.map { it.prefillTokensPerSecond }
            val written = told.map { it.decodeTokensPerSecond }
            return Speeds(read, written, (read + written).maxOrNull()?.let(::roundNumberAbove) ?: 1.0)
        }

        /** 1, 2, 2.5 or 5 times a power of ten. */
        private fun roundNumberAbove(value: Double): Double {
            val power = 10.0.pow(floor(log10(value)))
            return listOf(1.0, 2.0, 2.5, 5.0, 10.0).map { it * power }.first { it >= value }
        }
    }
}
