package app

import dev.sotto.Fallback
import dev.sotto.FinishReason
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.NoteSummary
import dev.sotto.VoiceNote
import dev.sotto.Whenever
import dev.sotto.fallback.ChatServer
import dev.sotto.store.ModelSource
import dev.sotto.store.ModelStore
import dev.sotto.store.awaitFile
import dev.sotto.withFallback
import kotlinx.serialization.Serializable
import java.io.File

enum class Priority { Urgent, Later }

@Serializable
data class Errand(val task: String)

suspend fun app(file: File, transcript: String, mail: String, text: String, render: (NoteSummary) -> Unit) {
    // README
}

/// Gets a model with the store, which is an artifact of its own.
suspend fun download(store: ModelStore, source: ModelSource): File = store.install(source).awaitFile()

/// Asks a server for what the model cannot do, with an artifact of its own.
suspend fun ask(model: LocalModel, url: String, mail: String, labels: List<String>): String =
    model.withFallback(Fallback(ChatServer(url), "big", setOf(Whenever.ContextTooLong))).classify(mail, labels).label
