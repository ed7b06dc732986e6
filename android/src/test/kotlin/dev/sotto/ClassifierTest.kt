package dev.sotto

import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

class ClassifierTest {
    private val labels = listOf(Label("front"), Label("hide"))

    @Test
    fun `a correction is learnt, and is the reason`(@TempDir folder: File) = test {
        Personal.open(folder.resolve("personal")).use { personal ->
            demo().use { model ->
                personal.classifier("feed", labels).use { feed ->
                    val before = feed.classify("bad cab", model)
                    assertEquals(listOf("front", "hide"), before.scores.keys.toList())
                    assertTrue(before.nearest.isEmpty())
                    assertNotNull(before.metrics)
                    for (label in listOf("front", "hide")) {
                        assertEquals(1, feed.learn("bad cab", label, source = "reader").ids.size)
                        val after = feed.classify("bad cab", model)
                        assertEquals(label to 1.0, after.label to after.confidence)
                        assertEquals("bad cab" to label, after.nearest.single().run { text to this.label })
                    }
                    feed.learn("a new one", "hide", source = "reader")
                    val progress = mutableListOf<Progress>()
                    feed.classify("another", model) { progress += it }
                    assertEquals(listOf(Progress(1, 1)), progress)
                    assertFailsWith<SottoException.InvalidInput> { feed.learn("cab", "other", source = "reader") }
                    assertFailsWith<SottoException.InvalidInput> { feed.learn(" ", "hide", source = "reader") }
                    assertFailsWith<SottoException.InvalidInput> { feed.classify("", model) }
                    personal.setPaused(true)
                    assertTrue(feed.learn("cab", "hide", source = "reader").paused)
                }
            }
            assertFailsWith<SottoException.InvalidInput> { personal.classifier("feed", labels.take(1)) }
        }
    }

    @Test
    fun `a style is learnt, edited and used in a conversation`(@TempDir folder: File) = test {
        Personal.open(folder.resolve("personal")).use { personal ->
            val style = personal.style("me")
            listOf("keys", "draft", "invoice").forEach { style.learn("could you send the $it? ta. m.", source = "mail") }
            assertEquals(Capitals.NEVER, style.profile().capitals)
            style.setProfile(style.profile().copy { signOff = "x" })
            assertEquals("x", style.profile().signOff)
            assertNull(style.adapter())
            assertEquals(false, style.dropAdapter())
            demo().use { model ->
                val brief = ChatOptions(maxTokens = 4, sampling = Sampling.GREEDY)
                val plain = model.session("Be brief.").use { it.respond("Hello", brief).metrics.prefillTokens }
                val styled = model.session("Be brief.", style).use { it.respond("Hello", brief).metrics.prefillTokens }
                assertTrue(styled > plain, "$styled $plain")
                model.withStyle(style).close()
                val refused = assertFailsWith<SottoException.InvalidInput> { model.tune(style).await() }
                assertContains(refused.message.orEmpty(), "texts")
            }
            personal.set("mail", "tone", "\"dry\"", source = "user")
            assertEquals("\"dry\"", personal.setting("mail", "tone"))
            assertFailsWith<SottoException.InvalidInput> { personal.set("mail", "tone", "dry", source = "user") }
            assertEquals(false, personal.dropDerived("mail", "adapter"))
        }
    }
}
