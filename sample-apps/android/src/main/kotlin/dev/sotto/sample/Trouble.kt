package dev.sotto.sample

import dev.sotto.SottoException
import java.io.IOException

/** What can go wrong, as far as a person can do something about it; the screen has the words. */
enum class Trouble {
    MODEL_NOT_FOUND,
    MODEL_DAMAGED,
    MODEL_UNSUPPORTED,
    OUT_OF_MEMORY,
    NO_SPACE,
    NOTE_TOO_LONG,
    TEXT_UNUSABLE,
    BUSY,
    NOTHING_TO_PASTE,
    FILE_UNREADABLE,
    MICROPHONE_DENIED,
    MICROPHONE_TAKEN,
    SOUND_NOT_KEPT,
    NO_RECOGNIZER,
    RECOGNIZER_FAILED,
    LEARNING_PAUSED,
    LEARNING_DAMAGED,
    LEARNING_IN_USE,
    INTERNAL,
    ;

    companion object {
        /** Those of what was learnt, not of a note. */
        val LEARNING = setOf(LEARNING_DAMAGED, LEARNING_IN_USE, NO_SPACE)

        /** A [SecurityException] is that of another app, which keeps its file to itself. */
        fun of(error: Exception): Trouble = when (error) {
            is SottoException -> of(error)
            is NoSpaceException -> NO_SPACE
            is TextTooLongException -> NOTE_TOO_LONG
            is MicrophoneException -> MICROPHONE_TAKEN
            is SecurityException, is IOException -> FILE_UNREADABLE
            else -> INTERNAL
        }

        private fun of(error: SottoException): Trouble = when (error) {
            is SottoException.ModelNotFound -> MODEL_NOT_FOUND
            is SottoException.ModelInvalid -> MODEL_DAMAGED
            is SottoException.Unsupported -> MODEL_UNSUPPORTED
            is SottoException.OutOfMemory -> OUT_OF_MEMORY
            is SottoException.Storage -> NO_SPACE
            is SottoException.ContextFull -> NOTE_TOO_LONG
            is SottoException.InvalidInput -> TEXT_UNUSABLE
            is SottoException.StoreInvalid -> LEARNING_DAMAGED
            is SottoException.StoreInUse -> LEARNING_IN_USE
            is SottoException.ServerAnswer, is SottoException.Cancelled, is SottoException.Internal -> INTERNAL
        }
    }
}
