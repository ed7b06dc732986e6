package dev.sotto

import dev.sotto.internal.FfiException

/**
 * The errors of Sotto.
 *
 * Each says what an app can do about it. None contains the user's text. A cancelled coroutine throws Kotlin's own
 * [kotlinx.coroutines.CancellationException], as usual.
 */
public sealed class SottoException(message: String) : Exception(message) {
    /** The model file [path] does not exist or cannot be read; [reason] says why. Download it, or check the path. */
    public class ModelNotFound(public val path: String, public val reason: String) :
        SottoException("cannot read the model file $path: $reason")

    /**
     * The file is not a valid model: it is incomplete, inconsistent at [at], or something else. [why] recommends
     * another download only if the size or a checksum shows that it would help.
     */
    public class ModelInvalid(public val why: String, public val at: String) :
        SottoException("the model file is invalid at $at: $why")

    /** This version or device does not support [what], or it is not a language model. Use another model. */
    public class Unsupported(public val what: String) : SottoException("not supported: $what")

    /**
     * The device does not have [needed] bytes of memory available, only [available] (0 if unknown). Use a shorter
     * context or a smaller model.
     */
    public class OutOfMemory(public val needed: Long, public val available: Long) :
        SottoException(
            "$needed bytes of memory are needed, but ${if (available == 0L) "not" else "only $available are"} available",
        )

    /** The file or folder [path] cannot be written; [reason] is the system's message. Free some space. */
    public class Storage(public val path: String, public val reason: String) : SottoException("cannot write $path: $reason")

    /**
     * The file [path] is damaged, or is not a personal store; [why] says how. Import an exported copy into a new file, or delete
     * this one and begin anew.
     */
    public class StoreInvalid(public val path: String, public val why: String) :
        SottoException("$path is not a personal store, or is damaged: $why")

    /** The personal store [path] is open elsewhere. Close it there, or share one [Personal]. */
    public class StoreInUse(public val path: String) :
        SottoException("$path is open elsewhere: close it there, or share one handle")

    /** The text needs [needed] tokens, but the limit is [limit]. Shorten it, or start a new session. */
    public class ContextFull(public val limit: Long, public val needed: Long) :
        SottoException("at least $needed tokens are needed, but the limit is $limit")

    /** An argument is invalid; [what] says what is wrong. */
    public class InvalidInput(public val what: String) : SottoException(what)

    /** The [Fallback]'s server sent something else than an answer, or not all of one; [why] says what. Try again, or use another. */
    public class ServerAnswer(public val why: String) : SottoException("the server's answer cannot be used: $why")

    /** The work was stopped by something other than the coroutine that waited for it. */
    public class Cancelled : SottoException("cancelled")

    /** An error in Sotto itself. Please report it. */
    public class Internal(public val why: String) : SottoException("internal error: $why")
}

/** Rejects an argument that cannot be passed to the library; [what] says what is wrong. */
internal fun requireInput(usable: Boolean, what: String) {
    if (!usable) throw SottoException.InvalidInput(what)
}

internal fun FfiException.toSotto(): SottoException = when (this) {
    is FfiException.ModelNotFound -> SottoException.ModelNotFound(path, reason)
    is FfiException.ModelInvalid -> SottoException.ModelInvalid(why, at)
    is FfiException.Unsupported -> SottoException.Unsupported(what)
    is FfiException.OutOfMemory -> SottoException.OutOfMemory(needed.toLong(), available.toLong())
    is FfiException.Storage -> SottoException.Storage(path, reason)
    is FfiException.StoreInvalid -> SottoException.StoreInvalid(path, why)
    is FfiException.StoreInUse -> SottoException.StoreInUse(path)
    is FfiException.ContextFull -> SottoException.ContextFull(limit.toLong(), needed.toLong())
    is FfiException.InvalidInput -> SottoException.InvalidInput(what)
    is FfiException.ServerAnswer -> SottoException.ServerAnswer(why)
    is FfiException.Cancelled -> SottoException.Cancelled()
    is FfiException.Internal -> SottoException.Internal(why)
}
