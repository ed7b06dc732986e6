package app

import dev.sotto.FinishReason
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.NoteSummary
import dev.sotto.VoiceNote
import kotlinx.serialization.Serializable
import java.io.File

enum class Priority { Urgent, Later }

@Serializable
data class Errand(val task: String)

suspend fun app(file: File, transcript: String, mail: String, text: String, render: (NoteSummary) -> Unit) {
    // README
}
