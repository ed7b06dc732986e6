package dev.sotto

import kotlinx.coroutines.runBlocking
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

private val DEMO_FILE = File("../sample-apps/demo-model/sotto-demo.gguf")

/** sotto-android-core does its work, and has nothing of what it leaves out. */
class CoreTest {
    @Test
    fun `a note is summarized`(): Unit = runBlocking {
        LocalModel.load(ModelFile.path(DEMO_FILE)).use { model ->
            val note = VoiceNote.text("Short note after standup. Marcus will write a test for it by Thursday.")
            val action = model.summarize(note).await().actions.single()
            assertEquals("Marcus", action.owner)
        }
    }

    @Test
    fun `a conversation goes on`(): Unit = runBlocking {
        LocalModel.load(ModelFile.path(DEMO_FILE)).use { model ->
            model.session("You are brief.").use { session ->
                assertTrue(session.respond("Hello!", ChatOptions(maxTokens = 4)).text.isNotEmpty())
                assertEquals(1, session.history.size)
            }
        }
    }

    @Test
    fun `the other parts are not there`() {
        for (name in listOf("Speech", "Listening", "Personal", "Classifier", "Embedder", "Style", "TuneOptions")) {
            assertFailsWith<ClassNotFoundException> { Class.forName("dev.sotto.$name") }
        }
    }
}
