package dev.sotto

import dev.sotto.internal.FfiException

/**
 * Everything that a call into Sotto can end with instead of a result.
 *
 * Each says what an app can do about it; none carries the user's text. A cancelled coroutine gets Kotlin's own
 * [kotlinx.coroutines.CancellationException], as everywhere.
 */
public sealed class SottoException(message: String) : Exception(message) {
    /** There is no readable model file at [path]: download it, or check the path. [reason] says why. */
    public class ModelNotFound(public val path: String, public val reason: String) :
        SottoException("cannot read the model file $path: $reason")

    /**
     * The file is not a model that can be trusted: unfinished, contradicting itself at [at], or something else. Only where its
     * size or a checksum shows that another download would help does [why] say so.
     */
    public class ModelInvalid(public val why: String, public val at: String) :
        SottoException("the model file is invalid at $at: $why")

    /** [what] is missing in this version, or on this device, or is no language model: use another model. */
    public class Unsupported(public val what: String) : SottoException("not supported: $what")

    /**
     * The device cannot spare [needed] bytes, but [available] (0 where it does not say): ask for a shorter context, or use a
     * smaller model.
     */
    public class OutOfMemory(public val needed: Long, public val available: Long) :
        SottoException("$needed bytes of memory are needed, ${if (available == 0L) "not so many" else available} can be had")

    /** The file or folder [path] cannot be written: free some space. [reason] is the system's. */
    public class Storage(public val path: String, public val reason: String) : SottoException("cannot write $path: $reason")

    /** The text takes [needed] tokens of at most [limit]: shorten it, or start a new session. */
    public class ContextFull(public val limit: Long, public val needed: Long) :
        SottoException("at least $needed tokens are needed, the limit is $limit")

    /** An argument cannot be used: [what] is wrong with it. */
    public class InvalidInput(public val what: String) : SottoException(what)

    /** The work was stopped by something other than the coroutine that waited for it. */
    public class Cancelled : SottoException("cancelled")

    /** A fault of Sotto itself: please report it. */
    public class Internal(public val why: String) : SottoException("internal error: $why")
}

/** Refuses an argument that the library cannot even be asked about: [what] is wrong with it. */
internal fun requireInput(usable: Boolean, what: String) {
    if (!usable) throw SottoException.InvalidInput(what)
}

internal fun FfiException.toSotto(): SottoException = when (this) {
    is FfiException.ModelNotFound -> SottoException.ModelNotFound(path, reason)
    is FfiException.ModelInvalid -> SottoException.ModelInvalid(why, at)
    is FfiException.Unsupported -> SottoException.Unsupported(what)
    is FfiException.OutOfMemory -> SottoException.OutOfMemory(needed.toLong(), available.toLong())
    is FfiException.Storage -> SottoException.Storage(path, reason)
    is FfiException.ContextFull -> SottoException.ContextFull(limit.toLong(), needed.toLong())
    is FfiException.InvalidInput -> SottoException.InvalidInput(what)
    is FfiException.Cancelled -> SottoException.Cancelled()
    is FfiException.Internal -> SottoException.Internal(why)
}
