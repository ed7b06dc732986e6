package dev.sotto

import kotlinx.coroutines.flow.toList
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue

class StyleTest {
    private val messages = (1..24).map { "hiya, could you send box $it by friday? ta. m." }
    private val options = TuneOptions(epochs = 3, rank = 4, learningRate = 3e-3f, generalMargin = 10.0)

    @Test
    fun `a profile is found, edited and told`() {
        val profile = StyleProfile.of(messages)
        assertEquals("hiya," to "ta. m.", profile.greeting to profile.signOff)
        assertEquals(Capitals.NEVER, profile.capitals)
        assertEquals(emptyList<String>() to emptyList<String>(), profile.phrases to profile.emoji)
        assertContains(profile.copy { signOff = "x" }.instruction().orEmpty(), "end with \"x\"")
        assertNull(StyleProfile().instruction())
        assertEquals(profile, Json.decodeFromString<StyleProfile>(Json.encodeToString(profile)))
        assertFailsWith<SottoException.InvalidInput> { StyleProfile(sentenceWords = -1) }
    }

    @Test
    fun `an adapter is trained, loaded and rewrites`(@TempDir folder: File) = test {
        val target = folder.resolve("me.gguf")
        demo().use { model ->
            val steps = mutableListOf<TuneProgress>()
            val training = model.tune(messages, target, options)
            training.snapshots.collect { steps += it }
            val report = training.await()
            assertTrue(report.kept && report.heldOutAfter < report.heldOutBefore, "$report")
            assertEquals((1..report.steps).toList(), steps.map { it.step })
            val adapter = model.loadAdapter(ModelFile.path(target))
            model.withAdapters(listOf(ScaledAdapter(adapter))).use { mine ->
                val brief = ChatOptions(maxTokens = 16, sampling = Sampling.GREEDY)
                assertTrue(mine.rewrite("Could you send it?", StyleProfile.of(messages), brief).await().text.isNotEmpty())
            }
        }
    }

    @Test
    fun `what is of no use is not written, and a training is cancelled`(@TempDir folder: File) = test {
        val target = folder.resolve("me.gguf")
        demo().use { model ->
            val demanding = TuneOptions(epochs = 1, rank = 1, margin = 100.0)
            assertFalse(model.tune(messages, target, demanding).await().kept)
            assertFailsWith<SottoException.InvalidInput> { model.tune(messages.take(3), target).snapshots.toList() }
            assertFailsWith<SottoException.InvalidInput> { model.tune(messages, target, TuneOptions(seconds = -1.0)).await() }
            assertFailsWith<StopIteration> { model.tune(messages, target, options).snapshots.collect { throw StopIteration() } }
            timeUntilQuiet()
        }
        assertFalse(target.exists())
    }

    private class StopIteration : Exception()
}
