package dev.sotto.sample

import dev.sotto.NoteSummary
import dev.sotto.Segment
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import java.io.File
import java.io.IOException

/** A note as it is kept, so that it is still there when Android has ended the app. [at] is in milliseconds since 1970. */
@Serializable
data class KeptNote(
    val id: String,
    val at: Long,
    val segments: List<Segment>,
    val summary: NoteSummary? = null,
    val label: String? = null,
    /** Ids of the actions that are done. */
    val ticked: Set<Int> = emptySet(),
    /** Whether a person wants more notes like this one, as far as they said so. */
    val wanted: Boolean? = null,
)

/** The notes in [folder]: a file for each, and beside it the sound of those that were spoken. It is for one thread at a time. */
class NoteStore(private val folder: File) {
    /** The notes as their files have them. */
    private val written = mutableMapOf<String, KeptNote>()

    /** The notes, the latest first. A file that is none is passed over, and stays. */
    fun read(): List<KeptNote> {
        val notes = files(NOTE).mapNotNull(::note)
        notes.associateByTo(written) { it.id }
        return notes.sortedByDescending { it.at }
    }

    /**
     * Writes what is new in [notes], and deletes those that are no longer there, with their sound. Sounds of the notes in [others]
     * stay, too: it is asked for once the files are written.
     */
    fun keep(notes: List<KeptNote>, others: () -> Set<String>) {
        for (gone in written.keys - notes.map { it.id }.toSet()) {
            file(gone).delete()
            written.remove(gone)
        }
        for (note in notes.filter { it != written[it.id] }) {
            write(note)
            written[note.id] = note
        }
        files(SOUND).filter { it.nameWithoutExtension !in written.keys + others() }.forEach(File::delete)
    }

    /** Where the sound of this note is, or will be. */
    fun sound(id: String) = File(folder.apply { mkdirs() }, "$id.$SOUND")

    private fun file(id: String) = File(folder, "$id.$NOTE")

    private fun files(kind: String) = folder.listFiles { file -> file.extension == kind }.orEmpty()

    private fun note(file: File): KeptNote? = try {
        Json.decodeFromString<KeptNote>(file.readText()).takeIf { file(it.id) == file }
    } catch (_: IOException) {
        null
    } catch (_: IllegalArgumentException) {
        null
    }

    /** A process that is ended meanwhile leaves the note as it was before. */
    private fun write(note: KeptNote) = storing {
        folder.mkdirs()
        val next = File(folder, NEXT)
        next.outputStream().use {
            it.write(Json.encodeToString(note).toByteArray())
            it.fd.sync()
        }
        if (!next.renameTo(file(note.id))) throw IOException("the note cannot be renamed")
    }

    private companion object {
        const val NOTE = "json"
        const val SOUND = "wav"
        const val NEXT = "next"
    }
}
