package dev.sotto.sample

import android.view.View
import android.widget.ProgressBar
import android.widget.TextView
import kotlin.math.roundToInt

/** What the app is doing, how far it is, and what went wrong: on top of the screens with notes. */
class StatusView(root: View, dismiss: () -> Unit) {
    private val context = root.context
    private val status = root.findViewById<TextView>(R.id.status)
    private val progress = root.findViewById<ProgressBar>(R.id.progress)
    private val trouble = root.findViewById<TextView>(R.id.trouble).apply { setOnClickListener { dismiss() } }

    fun render(state: NoteState) {
        status.text = wordsFor(state)
        trouble.showUnlessEmpty(state.trouble?.let { context.getString(it.message) }.orEmpty())
        val loading = state.model as? ModelState.Loading ?: state.speech as? ModelState.Loading
        val working = loading != null || state.phase == Phase.READING || state.phase == Phase.SUMMARIZING
        progress.visibility = if (working) View.VISIBLE else View.INVISIBLE
        progress.isIndeterminate = loading?.fraction == null
        progress.progress = ((loading?.fraction ?: 0f) * progress.max).roundToInt()
    }

    private fun wordsFor(state: NoteState): String = when (val model = state.model) {
        ModelState.Missing -> context.getString(R.string.no_model)

        is ModelState.Loading -> context.getString(R.string.loading, model.name)

        is ModelState.Ready -> when (state.phase) {
            Phase.IDLE -> when (val speech = state.speech) {
                is ModelState.Loading -> context.getString(R.string.loading, speech.name)
                else -> model.name
            }

            Phase.READING -> context.getString(R.string.reading)

            Phase.LISTENING -> context.getString(R.string.listening)

            Phase.SUMMARIZING -> context.getString(R.string.summarizing)
        }
    }
}

/** The string that says it. */
val Trouble.message
    get() = when (this) {
        Trouble.MODEL_NOT_FOUND -> R.string.trouble_model_not_found
        Trouble.MODEL_DAMAGED -> R.string.trouble_model_damaged
        Trouble.MODEL_UNSUPPORTED -> R.string.trouble_model_unsupported
        Trouble.OUT_OF_MEMORY -> R.string.trouble_out_of_memory
        Trouble.NO_SPACE -> R.string.trouble_no_space
        Trouble.NOTE_TOO_LONG -> R.string.trouble_note_too_long
        Trouble.TEXT_UNUSABLE -> R.string.trouble_text_unusable
        Trouble.BUSY -> R.string.trouble_busy
        Trouble.NOTHING_TO_PASTE -> R.string.trouble_nothing_to_paste
        Trouble.FILE_UNREADABLE -> R.string.trouble_file_unreadable
        Trouble.MICROPHONE_DENIED -> R.string.trouble_microphone_denied
        Trouble.MICROPHONE_TAKEN -> R.string.trouble_microphone_taken
        Trouble.SOUND_NOT_KEPT -> R.string.trouble_sound_not_kept
        Trouble.NO_RECOGNIZER -> R.string.trouble_no_recognizer
        Trouble.RECOGNIZER_FAILED -> R.string.trouble_recognizer_failed
        Trouble.LEARNING_PAUSED -> R.string.trouble_learning_paused
        Trouble.LEARNING_DAMAGED -> R.string.trouble_learning_damaged
        Trouble.LEARNING_IN_USE -> R.string.trouble_learning_in_use
        Trouble.INTERNAL -> R.string.trouble_internal
    }
