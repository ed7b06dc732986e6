package dev.sotto.store

import java.net.URI
import java.net.URISyntaxException

/**
 * A model on a server.
 *
 * @property url its web address. It begins with `https`; `http` is only for servers on the device itself.
 * @property sha256 the SHA-256 that it must have, in 64 hexadecimal digits.
 * @property bytes its size.
 * @property license the text or the name of its licence, for the app to show; the store keeps it with the model.
 * @throws StoreException.InvalidSource for an address or a SHA-256 that cannot be one.
 */
public class ModelSource
@JvmOverloads
constructor(
    public val url: String,
    sha256: String,
    public val bytes: Long,
    public val license: String? = null,
) {
    public val sha256: String = sha256.lowercase()

    internal val uri: URI = parse(url)

    /** Its address without what may be secret. */
    internal val address: String = "${uri.scheme}://${uri.rawAuthority}${uri.rawPath}"

    /** What messages call it. */
    internal val name: String = "${uri.host}${uri.rawPath}"

    /** Where it lies, from the store's folder: the server, then the address's path. */
    internal val place: List<String> = placeOf(uri)

    init {
        requireSource(Regex("[0-9a-f]{64}").matches(this.sha256), "a SHA-256 has 64 hexadecimal digits")
        requireSource(bytes > 0, "a model has at least one byte")
    }
}

/** The longest part of a path. */
private const val LONGEST_NAME = 200

private fun parse(url: String): URI {
    val uri = try {
        URI(url)
    } catch (_: URISyntaxException) {
        null
    }
    requireSource(uri?.host != null && uri.scheme in listOf("https", "http"), "a model is named by a web address")
    requireSource(uri!!.rawUserInfo == null, "leave the password out of the address: it would be stored and shown")
    requireSource(uri.isPrivate, "over http, anybody can read along: use https")
    requireSource("//" !in uri.rawPath, "the address has an empty part")
    return uri.normalize()
}

/** Whether nobody can read along: over TLS, or within this device. */
internal val URI.isPrivate: Boolean
    get() = scheme == "https" || host == "localhost" || host == "[::1]" || host.orEmpty().startsWith("127.")

/** Names that begin with a dot are the store's own. */
private fun placeOf(uri: URI): List<String> {
    val server = readable(uri.host) + if (uri.port == -1) "" else ",${uri.port}"
    val path = uri.rawPath.removePrefix("/").split('/').map(::readable)
    val usable = path.all { it.isNotEmpty() && !it.startsWith('.') && it.length <= LONGEST_NAME }
    requireSource(usable, "the address does not end with the name of a file")
    return listOf(server) + path
}

/** A name that every file system can have. No two of an address become one. */
private fun readable(segment: String): String = buildString {
    for (byte in segment.toByteArray()) {
        val char = byte.toInt().toChar()
        if (char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9' ||
            char in "._-+=@%"
        ) {
            append(char)
        } else {
            append("%%%02X".format(byte))
        }
    }
}

private fun requireSource(usable: Boolean, why: String) {
    if (!usable) throw StoreException.InvalidSource(why)
}
