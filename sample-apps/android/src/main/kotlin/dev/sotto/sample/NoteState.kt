package dev.sotto.sample

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

/** A note that is to take the place of another one. */
sealed interface NewNote

/** A note that comes from elsewhere; one that another app shares is to be summarized at once. */
data class WrittenNote(val segments: List<Segment>, val isShared: Boolean) : NewNote

/** A note that is yet to be spoken. */
data object SpokenNote : NewNote

/** Everything that the screens show. */
data class NoteState(
    val model: ModelState = ModelState.Missing,
    /** Where it is missing, the platform's recognizer hears. */
    val speech: ModelState = ModelState.Missing,
    val phase: Phase = Phase.IDLE,
    val segments: List<Segment> = emptyList(),
    /** A note that was spoken is nowhere else. */
    val isSpoken: Boolean = false,
    /** The name of the file with the sound of a spoken note, which need not be there. */
    val sound: String? = null,
    /** What was said last, which the recognizer may still change. */
    val hearing: String = "",
    val summary: NoteSummary? = null,
    val label: String? = null,
    /** A note that is to take the place of this one, if the person agrees. */
    val offered: NewNote? = null,
    /** The note as it was before this one, which has no word yet. */
    val before: NoteState? = null,
    /** Ids of the segments that the tapped point rests on. */
    val highlighted: Set<Int> = emptySet(),
    val trouble: Trouble? = null,
    val runs: List<Run> = emptyList(),
) {
    val canListen get() = phase == Phase.IDLE && model is ModelState.Ready

    val canPaste get() = phase == Phase.IDLE

    /** A model that is still being loaded is waited for. */
    val canSummarize get() = phase == Phase.IDLE && model != ModelState.Missing && segments.isNotEmpty()

    /** Another note in place of this one. */
    fun withNote(segments: List<Segment>) = copy(segments = segments, isSpoken = false, sound = null, offered = null).unread()

    /** A note that is going to be spoken; its sound is kept under this name. */
    fun listening(sound: String) = withNote(emptyList()).copy(phase = Phase.LISTENING, sound = sound, before = this)

    /** The note with what was said of it by now. */
    fun spoken(segments: List<Segment>) =
        if (segments.isEmpty()) this else copy(segments = segments, isSpoken = true, before = null)

    /** Nothing is being done any more. Where no word was said, the note before is there again. */
    fun idle(): NoteState {
        val note = before?.copy(model = model, speech = speech, trouble = trouble, runs = runs) ?: this
        return note.copy(phase = Phase.IDLE, hearing = "")
    }

    /** The same note, of which the model knows nothing. */
    fun unread() = copy(hearing = "", summary = null, label = null, highlighted = emptySet(), trouble = null)

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
