package dev.sotto

import dev.sotto.internal.FfiPriority

/** Who waits for a request. It decides what is computed first, and changes no answer. */
public enum class RequestPriority {
    /** Nobody: it gives way to what a person waits for, but is never left out for long. */
    BACKGROUND,

    /** A person. */
    FOREGROUND,
}

internal fun RequestPriority.toFfi() = when (this) {
    RequestPriority.BACKGROUND -> FfiPriority.BACKGROUND
    RequestPriority.FOREGROUND -> FfiPriority.FOREGROUND
}
