package dev.sotto.sample

import dev.sotto.NoteSummary
import dev.sotto.Segment
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import java.io.File
import java.io.IOException

/** The note as it is kept, so that it is still there when Android has ended the app. */
@Serializable
data class KeptNote(
    val segments: List<Segment>,
    val isSpoken: Boolean,
    val sound: String? = null,
    val summary: NoteSummary? = null,
    val label: String? = null,
)

/** What of this state is worth keeping: a note with words, and a summary that is complete. */
fun NoteState.toKeep(): KeptNote? {
    val complete = summary?.takeIf { it.metrics != null }
    return if (segments.isEmpty()) null else KeptNote(segments, isSpoken, sound, complete, label)
}

fun NoteState.with(kept: KeptNote?): NoteState = if (kept == null) {
    this
} else {
    copy(
        segments = kept.segments,
        isSpoken = kept.isSpoken,
        sound = kept.sound,
        summary = kept.summary,
        label = kept.label,
    )
}

/** The last note, in [file]; the sound of spoken ones lies beside it. */
class NoteStore(private val file: File) {
    /** None if there is none, or if it cannot be read. */
    fun read(): KeptNote? = try {
        Json.decodeFromString<KeptNote>(file.readText())
    } catch (_: IOException) {
        null
    } catch (_: IllegalArgumentException) {
        null
    }

    /** A process that is ended meanwhile leaves the note as it was before. */
    fun write(note: KeptNote) = storing {
        file.parentFile?.mkdirs()
        val next = File("$file.next")
        next.outputStream().use {
            it.write(Json.encodeToString(note).toByteArray())
            it.fd.sync()
        }
        if (!next.renameTo(file)) throw IOException("the note cannot be renamed")
    }

    /** Where the sound of this name is, or will be. */
    fun sound(name: String) = File(folder.apply { mkdirs() }, "$name.$SOUND")

    /** Deletes the sound of all notes but these. */
    fun keepSounds(names: Set<String>) = folder.listFiles { file -> file.extension == SOUND }.orEmpty()
        .filter { it.nameWithoutExtension !in names }
        .forEach(File::delete)

    private val folder get() = file.absoluteFile.parentFile ?: file

    private companion object {
        const val SOUND = "wav"
    }
}
