package app

import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.NoteSummary
import dev.sotto.VoiceNote
import kotlinx.serialization.KSerializer
import java.io.File

/** What an app writes, for the oldest compiler that can read the SDK: it is compiled, and does not run. */
suspend fun summarize(file: File, transcript: String, render: (NoteSummary) -> Unit) {
    val model = LocalModel.load(ModelFile.path(file))
    model.summarize(VoiceNote.text(transcript)).snapshots.collect { render(it) }
}

enum class Priority { Urgent, Later }

suspend fun priority(model: LocalModel, mail: String): Priority? = model.classify<Priority>(mail)

suspend fun <T> errand(model: LocalModel, text: String, serializer: KSerializer<T>): T = model.extract(text, serializer).value
