package app

import dev.sotto.FinishReason
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.NoteSummary
import dev.sotto.VoiceNote
import dev.sotto.store.ModelSource
import dev.sotto.store.ModelStore
import dev.sotto.store.awaitFile
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
