package dev.sotto.store

/**
 * Why a model cannot be had. Each says what an app or its user can do. No message has a token, or the query of an address. A cancelled
 * coroutine throws Kotlin's own [kotlinx.coroutines.CancellationException], as usual.
 */
public sealed class StoreException(message: String, cause: Throwable? = null) : Exception(message, cause) {
    /** What was asked for cannot name a model; [why] says why. */
    public class InvalidSource(public val why: String) : StoreException(why)

    /** The server has no [name]. Correct the address. */
    public class NotFound(public val name: String) : StoreException("the server has no $name: correct the address")

    /** The server answered with [status] to the request for [name]: it wants a login that the store does not have. */
    public class Denied(public val name: String, public val status: Int) :
        StoreException("the server does not give $name away (status $status)")

    /** The server of [name] cannot be reached, or gave up too often; [why] says what happened last. What was received is kept. Try later. */
    public class Network(public val name: String, public val why: String) :
        StoreException("$name could not be downloaded: $why. Try again later; it goes on from where it stopped")

    /** What the server has is not [name] as the app knows it; [why] says what is different. Correct the source, or the server. */
    public class Mismatch(public val name: String, public val why: String) :
        StoreException("$name is not the expected file: $why")

    /** The download needs [needed] bytes more, but only [free] are free. Ask the user to free some space. */
    public class NoSpace(public val needed: Long, public val free: Long) :
        StoreException("$needed bytes more are needed, but only $free are free")

    /** The network is metered, and [bytes] are still missing. Ask the user, or wait for another network. */
    public class Metered(public val bytes: Long) :
        StoreException("the network is metered, and $bytes bytes are missing: ask the user, then install with allowMetered")

    /** Another download of [name] is at work. Wait for it. */
    public class InUse(public val name: String) : StoreException("$name is being downloaded already: wait for it")

    /** A file in the store's folder cannot be written; [reason] is the system's message. */
    public class Storage(public val reason: String, cause: Throwable? = null) :
        StoreException("the store's folder cannot be written: $reason", cause)
}
