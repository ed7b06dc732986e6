package dev.sotto.sample

import dev.sotto.Metrics
import dev.sotto.NoteSummary
import dev.sotto.Segment

/** What the app is doing with the note. */
enum class Phase { IDLE, READING, LISTENING, SUMMARIZING }

/** Whether there is a model to work with. */
sealed interface ModelState {
    data object Missing : ModelState

    /** [fraction] tells how far it is, from 0 to 1, where that is known. */
    data class Loading(val name: String, val fraction: Float? = null) : ModelState

    data class Ready(val name: String) : ModelState

    /** The same, but that the model [name] is this far; one that is no longer waited for changes nothing. */
    fun at(name: String, fraction: Float) = if (this is Loading && this.name == name) Loading(name, fraction) else this
}

/** Everything that the screens show. */
data class NoteState(
    val model: ModelState = ModelState.Missing,
    /** Where it is missing, the platform's recognizer hears. */
    val speech: ModelState = ModelState.Missing,
    val phase: Phase = Phase.IDLE,
    /** The notes that are kept, the latest first; the one that is shown is among them once it has a word. */
    val notes: List<KeptNote> = emptyList(),
    /** The note that is shown, where there is one. Its sound, if it has any, is kept under this name. */
    val id: String? = null,
    /** When it was begun, in milliseconds since 1970. */
    val at: Long = 0,
    val segments: List<Segment> = emptyList(),
    /** What was said last, which the recognizer may still change. */
    val hearing: String = "",
    val summary: NoteSummary? = null,
    val label: String? = null,
    /** Ids of the actions that are done. */
    val ticked: Set<Int> = emptySet(),
    /** Whether a person wants more notes like this one; `null` where they have not said so. */
    val wanted: Boolean? = null,
    /** The note as it was before this one, which has no word yet. */
    val before: NoteState? = null,
    /** Ids of the segments that the tapped point rests on. */
    val highlighted: Set<Int> = emptySet(),
    /** What they may want to see again. */
    val forYou: List<ForYou> = emptyList(),
    val trouble: Trouble? = null,
    /** What the summaries cost since the app was started. */
    val runs: List<Metrics> = emptyList(),
) {
    val canListen get() = phase == Phase.IDLE && model is ModelState.Ready

    val canPaste get() = phase == Phase.IDLE

    /** A model that is still being loaded is waited for. */
    val canSummarize get() = phase == Phase.IDLE && model != ModelState.Missing && segments.isNotEmpty()

    val canShare get() = segments.isNotEmpty() && phase != Phase.LISTENING

    /** Shows a new note. */
    fun withNote(id: String, at: Long, segments: List<Segment>) = unread().copy(id = id, at = at, segments = segments)

    /** Shows a note that is kept. */
    fun showing(note: KeptNote) = withNote(note.id, note.at, note.segments)
        .copy(summary = note.summary, label = note.label, ticked = note.ticked, wanted = note.wanted)

    /** Shows no note. */
    fun withoutNote() = unread().copy(id = null, at = 0, segments = emptyList())

    /** A note that is going to be spoken. */
    fun listening(id: String, at: Long) = withNote(id, at, emptyList()).copy(phase = Phase.LISTENING, before = this)

    /** The note with what was said of it by now. */
    fun spoken(segments: List<Segment>) = if (segments.isEmpty()) this else copy(segments = segments, before = null)

    /** Nothing is being done any more. Where no word was said, the note before is there again. */
    fun idle(): NoteState {
        val note =
            before?.copy(model = model, speech = speech, trouble = trouble, runs = runs, notes = notes, forYou = forYou) ?: this
        val shown = if (note.segments.isEmpty()) note.withoutNote().copy(trouble = trouble) else note
        return shown.copy(phase = Phase.IDLE, hearing = "")
    }

    /** What of the shown note is worth keeping: its words, and a summary that is complete. */
    fun toKeep(): KeptNote? {
        val id = id?.takeIf { segments.isNotEmpty() } ?: return null
        return KeptNote(id, at, segments, summary?.takeIf { it.metrics != null }, label, ticked, wanted)
    }

    /** The list of notes has the shown one as it is now. */
    fun listed(): NoteState {
        val shown = toKeep() ?: return this
        return copy(notes = (notes.filter { it.id != shown.id } + shown).sortedByDescending { it.at })
    }

    /** The list without this note, which is not shown any more either. */
    fun without(note: String) = (if (note == id) withoutNote() else this).let {
        it.copy(
            notes = it.notes.filter { kept ->
                kept.id != note
            },
            forYou = it.forYou.filter { kept -> kept.note != note },
        )
    }

    /** The same note, of which the model knows nothing. */
    fun unread() = copy(
        hearing = "",
        summary = null,
        label = null,
        ticked = emptySet(),
        wanted = null,
        highlighted = emptySet(),
        trouble = null,
    )

    /** The action is done, or no longer. */
    fun ticked(action: Int) = copy(ticked = if (action in ticked) ticked - action else ticked + action)

    /** Highlights these segments, or nothing when they are highlighted already. */
    fun tapped(evidence: List<Int>) = copy(highlighted = evidence.toSet().takeIf { it != highlighted }.orEmpty())

    /**
     * The seconds in which the first highlighted segment was said, and those right after it that are highlighted, too; `null` where no
     * times are known.
     */
    fun highlightedSeconds(): ClosedFloatingPointRange<Double>? {
        val stretch = segments.dropWhile { it.id !in highlighted }.takeWhile { it.id in highlighted }
        val start = stretch.firstOrNull()?.start ?: return null
        val end = stretch.last().end ?: return null
        return (start..end).takeUnless { it.isEmpty() }
    }
}
