package dev.sotto.fallback

/**
 * Why a server gives no answer. Each says what an app or its user can do. No message has the user's text, the key, or words of
 * the server. A cancelled coroutine throws Kotlin's own [kotlinx.coroutines.CancellationException], as usual.
 */
public sealed class ServerException(message: String) : Exception(message) {
    /** The address or the key cannot be used; [why] says why. Correct it. */
    public class InvalidServer(public val why: String) : ServerException(why)

    /** The server cannot be reached, or the connection was lost; [why] says how. Try again later. */
    public class Unreachable(public val why: String) : ServerException("the fallback server cannot be reached: $why")

    /**
     * The server answered with [status] in place of an answer: it wants another key (401, 403), has no such address or model (404),
     * has too much to do (429), or has a fault (500 and above).
     */
    public class Refused(public val status: Int) : ServerException("the fallback server refuses the request (status $status)")
}
