package dev.sotto.sample

import kotlin.test.Test
import kotlin.test.assertEquals

class SpeedsTest {
    @Test
    fun `speeds lie between nothing and a round number`() {
        assertEquals(
            Speeds(listOf(200.0, 100.0), listOf(20.0, 40.0), 200.0),
            Speeds.of(listOf(metrics(200.0, 20.0), metrics(100.0, 40.0))),
        )
        assertEquals(250.0, Speeds.of(listOf(metrics(201.0, 20.0))).top)
        assertEquals(500.0, Speeds.of(listOf(metrics(251.0, 20.0))).top)
        assertEquals(0.02, Speeds.of(listOf(metrics(0.01, 0.0123))).top, 1e-9)
        assertEquals(1000.0, Speeds.of(listOf(metrics(1000.0, 1.0))).top)
    }

    @Test
    fun `a summary without a word has no speed`() {
        val none = Speeds(emptyList(), emptyList(), 1.0)
        assertEquals(none, Speeds.of(emptyList()))
        assertEquals(none, Speeds.of(listOf(metrics(10.0, 0.0))))
    }
}
