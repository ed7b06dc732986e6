package dev.sotto.sample

import dev.sotto.Event
import dev.sotto.LocalModel
import dev.sotto.Metrics
import dev.sotto.NoteSession
import dev.sotto.NoteSummary
import dev.sotto.Personal
import dev.sotto.Segment
import dev.sotto.SottoException
import dev.sotto.SottoTask
import dev.sotto.VoiceNote
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import java.util.UUID

/**
 * The notes, the model, and the work on them.
 *
 * It lives as long as the app: screens come and go, show [state] and pass on what a person does. Its functions are called on the
 * thread of [scope], whose jobs must not end each other by failing.
 */
class Notebook(
    private val scope: CoroutineScope,
    private val store: NoteStore,
    private val player: Player,
    private val learning: Learning,
) {
    private val current = MutableStateFlow(NoteState(notes = store.read()))
    private var model: Deferred<LocalModel>? = null
    private var session: NoteSession? = null
    private var work: Job? = null

    val state: StateFlow<NoteState> = current.asStateFlow()

    init {
        scope.launch { keepNotes() }
        scope.launch { recommend() }
    }

    /**
     * Works with the model that [load] gives, in place of the one before; [load] can tell how far it is, from 0 to 1. Should it fail,
     * [otherwise] can use another one.
     */
    fun useModel(name: String, otherwise: () -> Unit = {}, load: suspend (onProgress: (Float) -> Unit) -> LocalModel) {
        cancel()
        val previous = model
        previous?.cancel()
        change { copy(model = ModelState.Loading(name), trouble = null) }
        // What has begun at once cannot be cancelled before it has closed the model before it.
        val next = scope.async(start = CoroutineStart.UNDISPATCHED) {
            previous?.let { runCatching { it.await().close() } }
            val loaded = load { fraction -> change { copy(model = model.at(name, fraction)) } }
            // Nobody gets one that is ready just after it was given up.
            loaded.also { if (!isActive) it.close() }
        }
        model = next
        scope.launch {
            try {
                next.await()
                if (next === model) change { copy(model = ModelState.Ready(name)) }
            } catch (error: Exception) {
                if (next !== model) return@launch
                tell(error) { copy(model = ModelState.Missing) }
                otherwise()
                // The other model's loading has begun without it.
                trouble(Trouble.of(error))
            }
        }
    }

    /** Takes a note that was written down. */
    fun paste(text: String) {
        if (state.value.canPaste) write(text)
    }

    /** Takes a text that another app shares, and summarizes it. */
    fun share(text: String) {
        if (!state.value.canPaste) return trouble(Trouble.BUSY)
        if (write(text)) summarize()
    }

    /** Takes a text file that another app shares, and summarizes it. */
    fun share(file: Document) {
        if (!state.value.canPaste) return trouble(Trouble.BUSY)
        change { copy(phase = Phase.READING, trouble = null) }
        work = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            val text = try {
                file.text()
            } catch (error: Exception) {
                return@launch tell(error) { idle() }
            }
            change { idle() }
            share(text)
        }
    }

    /** Shows the note of this id. While another one is being worked on, that stays. */
    fun open(id: String) {
        if (id == state.value.id) return
        if (state.value.phase != Phase.IDLE) return trouble(Trouble.BUSY)
        player.stop()
        val note = state.value.notes.find { it.id == id } ?: return
        change { showing(note) }
        scope.launch { orTell(::trouble) { learning.record(note, Event.OPENED) } }
    }

    /** Shows no note, unless one is being worked on. */
    fun close() {
        if (state.value.phase != Phase.IDLE) return
        player.stop()
        change { withoutNote() }
    }

    /** Deletes the note of this id, its summary and its sound. */
    fun delete(id: String) {
        if (id == state.value.id) {
            cancel()
            player.stop()
        }
        change { without(id) }
        scope.launch {
            orTell(::trouble) { learning.forget(id) }
            recommend()
        }
    }

    /** Marks an action of the shown note as done, or no longer. */
    fun tick(action: Int) = change { ticked(action) }

    /** Gives the shown note the label that a person chose, and learns it for notes of its kind. */
    fun correct(label: String) {
        val note = state.value.toKeep() ?: return
        change { copy(label = label) }
        scope.launch { learn { learning.correct(note, label) } }
    }

    /** A person wants more notes like the shown one, or no more of them. */
    fun want(more: Boolean) {
        val note = state.value.toKeep() ?: return
        change { copy(wanted = more) }
        scope.launch {
            learn { learning.record(note, if (more) Event.LIKED else Event.DISMISSED) }
            recommend()
        }
    }

    /** Looks again which notes a person may want to see; something was learnt or deleted elsewhere. */
    suspend fun recommend() {
        val found = orTell(::trouble) { learning.forYou(state.value.notes) } ?: return
        change { copy(forYou = found.filter { item -> notes.any { it.id == item.note } }) }
    }

    private suspend fun learn(block: suspend () -> Personal.Learnt) {
        if (orTell(::trouble) { block() }?.paused == true) trouble(Trouble.LEARNING_PAUSED)
    }

    /** Begins a note that is spoken; the model reads along. */
    @OptIn(ExperimentalCoroutinesApi::class)
    fun listen() {
        val model = model?.takeIf { state.value.canListen }?.getCompleted() ?: return
        session = model.noteSession()
        player.stop()
        change { listening(newId(), System.currentTimeMillis()) }
    }

    /** What is being said, as far as it is understood by now. */
    fun hear(text: String) = change { if (phase == Phase.LISTENING) copy(hearing = text) else this }

    /** What was said. */
    fun heard(said: List<Segment>) {
        val session = session ?: return
        change { copy(hearing = "") }
        attempt {
            said.forEach(session::append)
            change { spoken(session.note.segments) }
            true
        }
    }

    /** Whether a speech model is there to hear with, or how far it is. */
    fun hearWith(speech: ModelState, trouble: Trouble?) = change { copy(speech = speech, trouble = trouble ?: this.trouble) }

    /** Where the sound of the spoken note is to be kept. */
    fun sound(): File = store.sound(checkNotNull(state.value.id))

    /** Ends the spoken note and summarizes it. */
    fun finishListening() {
        val session = session ?: return
        this.session = null
        summarize { model -> session.use { show(model, it.finish()) } }
    }

    /** Summarizes and labels the note. */
    fun summarize() {
        if (!state.value.canSummarize) return
        val note = VoiceNote.segments(state.value.segments)
        summarize { model -> show(model, model.summarize(note)) }
    }

    /** Stops what is being done; the note stays. */
    fun cancel() {
        work?.cancel()
        session?.close()
        session = null
        change { idle() }
    }

    /** Shows where it was said, and plays it where its sound was kept; or does so no longer. */
    fun tap(evidence: List<Int>) {
        change { tapped(evidence) }
        player.stop()
        val seconds = state.value.highlightedSeconds() ?: return
        val sound = state.value.id?.let(store::sound)?.takeIf(File::exists)
        // The microphone would hear it.
        if (sound != null && state.value.phase != Phase.LISTENING) player.play(sound, seconds)
    }

    fun trouble(trouble: Trouble?) = change { copy(trouble = trouble) }

    private fun summarize(block: suspend (LocalModel) -> Unit) {
        val model = model ?: return
        change { unread().copy(phase = Phase.SUMMARIZING) }
        work = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                block(model.await())
                change { idle() }
            } catch (error: Exception) {
                tell(error) { idle() }
            }
        }
    }

    private suspend fun show(model: LocalModel, summary: SottoTask<NoteSummary, NoteSummary>) {
        summary.snapshots.conflate().collect { change { copy(summary = it) } }
        record(state.value.summary?.metrics)
        val note = state.value.toKeep() ?: return
        val label = labelOf(note, model)
        change { copy(label = label) }
        recommend()
    }

    /** A note that has no label, such as one that is too long to be read at once, has its summary nevertheless. */
    private suspend fun labelOf(note: KeptNote, model: LocalModel): String? = try {
        learning.label(note, model)
    } catch (error: SottoException) {
        if (Trouble.of(error) in Trouble.LEARNING) trouble(Trouble.of(error))
        null
    }

    /** Whether the text has become the note that is shown. */
    private fun write(text: String): Boolean = attempt {
        val segments = VoiceNote.transcript(text).segments
        if (segments.isEmpty()) {
            trouble(Trouble.NOTHING_TO_PASTE)
        } else {
            player.stop()
            change { withNote(newId(), System.currentTimeMillis(), segments) }
        }
        segments.isNotEmpty()
    }

    private fun newId() = UUID.randomUUID().toString()

    /** Keeps the notes as they grow and go. */
    private suspend fun keepNotes() {
        state.map { it.notes to it.id }.distinctUntilChanged().collect { (notes, _) ->
            try {
                // A note that is being spoken may have sound before it has a word.
                withContext(Dispatchers.IO) { store.keep(notes) { setOfNotNull(state.value.id, state.value.before?.id) } }
            } catch (error: IOException) {
                trouble(Trouble.of(error))
            }
        }
    }

    private fun record(metrics: Metrics?) {
        if (metrics != null) change { copy(runs = runs + metrics) }
    }

    /** A cancelled coroutine has nothing to tell: whoever cancelled it has put things right. */
    private fun tell(error: Exception, after: NoteState.() -> NoteState) {
        if (error is CancellationException) throw error
        change { after().copy(trouble = Trouble.of(error)) }
    }

    /** A text from elsewhere can be anything: whether it could be taken. */
    private fun attempt(take: () -> Boolean): Boolean = try {
        take()
    } catch (error: SottoException) {
        trouble(Trouble.of(error))
        false
    }

    private fun change(transition: NoteState.() -> NoteState) = current.update { it.transition().listed() }
}
