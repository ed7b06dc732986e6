package dev.sotto.sample

import dev.sotto.Metrics
import dev.sotto.StopReason
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.time.Duration.Companion.seconds

class PlotTest {
    private fun run(at: Int, tokensPerSecond: Double) = Run(
        at.seconds,
        Metrics(
            timeToFirstToken = 0.1,
            prefillTokens = 10,
            prefillSeconds = 0.1,
            reusedTokens = 0,
            decodeTokens = 10,
            decodeSeconds = if (tokensPerSecond > 0) 10 / tokensPerSecond else 0.0,
            privateBytes = 1,
            mappedBytes = 1,
            kernels = "scalar",
            threads = 1,
            stopReason = StopReason.END,
        ),
    )

    @Test
    fun `speeds lie between nothing and a round number`() {
        val plot = Plot.of(listOf(run(10, 20.0), run(20, 40.0), run(50, 30.0)))
        assertEquals(Plot(listOf(0f to 0.4f, 0.25f to 0.8f, 1f to 0.6f), 50.0), plot)
        assertEquals(100.0, Plot.of(listOf(run(1, 51.0))).top)
        assertEquals(0.02, Plot.of(listOf(run(1, 0.0123))).top, 1e-9)
        assertEquals(1000.0, Plot.of(listOf(run(1, 1000.0))).top)
    }

    @Test
    fun `one run stands in the middle, and none is no plot`() {
        assertEquals(0.5f, Plot.of(listOf(run(3, 5.0))).points.single().first)
        assertEquals(emptyList(), Plot.of(emptyList()).points)
        assertEquals(emptyList(), Plot.of(listOf(run(1, 0.0))).points)
    }
}
