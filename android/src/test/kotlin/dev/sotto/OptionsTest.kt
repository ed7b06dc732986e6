package dev.sotto

import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse

class OptionsTest {
    private val classes =
        listOf(
            LoadOptions::class,
            Sampling::class,
            ChatOptions::class,
            SummaryOptions::class,
            TranscribeOptions::class,
            ListenOptions::class,
            TuneOptions::class,
            StyleProfile::class,
        )

    private fun properties(type: Class<*>) = type.declaredMethods.map { it.name }.filter { it.startsWith("get") }.toSet()

    /** A property that a builder lacks would be lost in a copy. */
    @TestFactory
    fun `a builder has each property`(): List<DynamicTest> = classes.map { options ->
        dynamicTest(options.java.simpleName) {
            val builder = Class.forName("${options.java.name}\$Builder")
            assertEquals(properties(options.java), properties(builder))
        }
    }

    @Test
    fun `a copy differs in what was changed, and is checked`() {
        val sampling =
            Sampling(0.1f, topK = 5, topP = 0.8f, minP = 0.2f, repetitionPenalty = 1.1f, repetitionWindow = 8, seed = 3)
        val warmer = sampling.copy { temperature = 0.9f }
        assertEquals(0.9f, warmer.temperature)
        assertEquals(sampling.toFfi().copy(temperature = 0.9f), warmer.toFfi())
        val load = LoadOptions(File("models"), 512, 3, Backend.CANDLE, KvType.Q8)
        assertEquals(load.toFfi(), load.copy { }.toFfi())
        val chat = ChatOptions(7, sampling, AnswerFormat.regex("a"))
        assertEquals(chat.toFfi(), chat.copy { }.toFfi())
        assertFailsWith<SottoException.InvalidInput> { chat.copy { maxTokens = 0 } }
        val summary = SummaryOptions("German", 3, 2)
        assertEquals(summary.toFfi(), summary.copy { }.toFfi())
        val transcribe = TranscribeOptions("de", translate = true, vocabulary = "Sotto", words = true)
        assertEquals(transcribe.toFfi(), transcribe.copy { }.toFfi())
        val listen = ListenOptions(PcmFormat(8_000, 2), transcribe, tentative = false)
        assertEquals(listen.toFfi(), listen.copy { }.toFfi())
        val tune = TuneOptions(1.0, 2, 3, 4f, 0.5, 0.6, File("checkpoint"))
        assertEquals(tune.toFfi(), tune.copy { }.toFfi())
        val profile = StyleProfile("hi", "bye", 3, Capitals.ALWAYS, listOf(":)"), listOf("ta"))
        assertEquals(profile, profile.copy { })
    }

    /** Adding a property to a data class breaks apps that were compiled before: its `copy` has another signature then. */
    @Test
    fun `no public class is a data class`() {
        val api = File("api/sotto-android.api").readText()
        assertFalse("component1" in api || "copy\$default" in api)
    }

    @Test
    fun `values are equal by their properties`() {
        val point = Point(1, "Buy milk.", listOf(1))
        assertEquals(point, Point(1, "Buy milk.", listOf(1)))
        assertEquals(point.hashCode(), Point(1, "Buy milk.", listOf(1)).hashCode())
        assertFalse(point == Point(1, "Buy milk.", listOf(2)))
        assertEquals("Point(id=1, text=Buy milk., evidence=[1])", point.toString())
    }
}
