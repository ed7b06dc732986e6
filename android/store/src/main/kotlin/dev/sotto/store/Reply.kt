package dev.sotto.store

import java.net.HttpURLConnection
import java.net.URI

private const val BUSY_FROM = 500
private val REDIRECTS = listOf(301, 302, 303, 307, 308)
private val RANGE = Regex("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18})")

/** What a server's reply means for an unfinished download. */
internal sealed interface Reply {
    /** The whole model, with its size if that is known. */
    class Whole(val bytes: Long?) : Reply

    /** The model from a byte on, and its size. */
    class Rest(val from: Long, val bytes: Long) : Reply

    /** There is nothing from there on, or what there is cannot be told. */
    class Unusable(val why: String) : Reply

    /** It may work later; the server may say when, in seconds. */
    class Later(val why: String, val wait: Long?) : Reply

    companion object {
        /** @throws StoreException for what will not work later either. */
        fun of(connection: HttpURLConnection, source: ModelSource): Reply {
            fun refuse(why: String): Nothing = throw StoreException.Mismatch(source.name, why)
            val status = connection.responseCode
            if (status == 200 || status == 206) {
                if (connection.contentEncoding.orEmpty() !in listOf("", "identity")) refuse("the server compresses it")
                if (connection.contentType.orEmpty().startsWith(
                        "text/html",
                    )
                ) {
                    refuse("the server sent a web page: check the network's login")
                }
            }
            return when (status) {
                200 -> Whole(connection.contentLengthLong.takeIf { it >= 0 })

                206 -> rest(connection.getHeaderField("Content-Range"))

                416 -> Unusable("the server has nothing from there on")

                401, 403 -> throw StoreException.Denied(source.name, status)

                404, 410 -> throw StoreException.NotFound(source.name)

                408, 425, 429, in BUSY_FROM..599 ->
                    Later("the server is busy (status $status)", connection.getHeaderField("Retry-After")?.toLongOrNull())

                else ->
                    if (status <
                        0
                    ) {
                        Later("the server's answer is not HTTP", null)
                    } else {
                        refuse("the server answered with status $status")
                    }
            }
        }

        /** `bytes FROM-LAST/SIZE` up to the end. */
        private fun rest(range: String?): Reply {
            val (from, last, bytes) = RANGE.matchEntire(range.orEmpty())?.destructured?.toList()?.map(String::toLong)
                ?: return Unusable("the server sent a part of the file, but not which")
            return if (from <= last &&
                last + 1 == bytes
            ) {
                Rest(from, bytes)
            } else {
                Unusable("the server sent another part of the file")
            }
        }
    }
}

/** A connection whose reply is a redirect leads to the next address, otherwise nowhere. Never from TLS to no TLS. */
internal fun redirect(connection: HttpURLConnection, from: URI, source: ModelSource): URI? {
    if (connection.responseCode !in REDIRECTS) return null
    val next = try {
        from.resolve(connection.getHeaderField("Location").orEmpty())
    } catch (_: IllegalArgumentException) {
        null
    }
    if (next?.host == null || !next.isPrivate) {
        throw StoreException.Mismatch(source.name, "the server redirects to an address without TLS, or to none")
    }
    return next
}

/** Addresses that a request may lead to, one after the other. */
internal const val MOST_ADDRESSES: Int = 11
