package app

import dev.sotto.ChatOptions
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.SottoException
import dev.sotto.VoiceNote
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable

@Serializable
private data class Errand(val task: String, val owner: String? = null)

private const val NOTE = "The upload bug is still open. Marcus will write a test for it by Thursday."

/** An app in small, which is shrunk and obfuscated with the AAR's rules, and then has to do its work. */
fun main(arguments: Array<String>): Unit = runBlocking {
    LocalModel.load(ModelFile.path(arguments.single())).use { model ->
        val summary = model.summarize(VoiceNote.text(NOTE)).await()
        check(summary.actions.single().owner == "Marcus")
        check(model.classify(NOTE, listOf("urgent", "task")).scores.size == 2)
        check(model.extract<Errand>(NOTE).task.isNotEmpty())
        check(model.session().use { it.respond("Hello", ChatOptions(maxTokens = 4)) }.text.isNotEmpty())
    }
    val missing = runCatching { LocalModel.load(ModelFile.path("/no/such/model")) }.exceptionOrNull()
    check(missing is SottoException.ModelNotFound && missing.path == "/no/such/model")
    println("the shrunk app has done its work")
}
