package dev.sotto.fallback

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.launch
import okhttp3.Call
import okhttp3.HttpUrl
import okhttp3.HttpUrl.Companion.toHttpUrlOrNull
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okio.Buffer
import java.io.IOException
import java.net.ConnectException
import java.net.ProtocolException
import java.net.Proxy
import java.net.SocketTimeoutException
import java.net.UnknownHostException
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLException

private const val BUFFER = 16L shl 10

/** Pieces of a reply that wait to be read. */
private const val MOST_WAITING = 16

private val JSON = "application/json".toMediaType()

/**
 * An OpenAI-compatible server (llama.cpp's, vLLM, ollama), as `Fallback` of the SDK takes it: a function that sends a request, and
 * passes the reply on piece by piece.
 *
 * What is sent goes to this server and nowhere else: redirects are not followed, and nothing is sent twice. Cancelling closes the
 * connection.
 *
 * @param url the address, without `/v1/chat/completions`: over TLS (`https`), or within this machine.
 * @param apiKey sent as a bearer token, if the server wants one.
 * @param silenceMillis the longest time without a piece of the reply, in milliseconds; the server reads the whole text before its first.
 * @throws ServerException.InvalidServer if the address or the key cannot be used.
 */
public class ChatServer
@JvmOverloads
constructor(
    url: String,
    private val apiKey: String? = null,
    silenceMillis: Long = 120_000,
) : suspend (String, suspend (ByteArray) -> Unit) -> Unit {
    private val completions = completions(url)
    private val client = OkHttpClient.Builder()
        .followRedirects(false)
        .followSslRedirects(false)
        .retryOnConnectionFailure(false)
        .connectTimeout(10, TimeUnit.SECONDS)
        .readTimeout(silenceMillis, TimeUnit.MILLISECONDS)
        .writeTimeout(silenceMillis, TimeUnit.MILLISECONDS)
        // No proxy can reach this machine's own servers.
        .apply { if (completions.isLoopback) proxy(Proxy.NO_PROXY) }
        .build()

    init {
        // Its own message would have the key.
        if (apiKey?.all { it in '!'..'~' } ==
            false
        ) {
            throw ServerException.InvalidServer("the key has characters that no key has")
        }
    }

    /**
     * Posts [body] and passes the reply to [onBytes]. It returns at the end of the reply.
     *
     * @throws ServerException.Unreachable if there is no connection, or it was lost.
     * @throws ServerException.Refused if the server answers with another status than 200.
     */
    override suspend fun invoke(body: String, onBytes: suspend (ByteArray) -> Unit) {
        val call = client.newCall(request(body))
        val pieces = Channel<ByteArray>(MOST_WAITING)
        // A read that waits cannot be interrupted: it is left to end with its connection.
        abandoned.launch { pieces.close(outcome { call.passOn(pieces) }) }
        try {
            for (piece in pieces) onBytes(piece)
        } finally {
            call.cancel()
            pieces.cancel()
        }
    }

    private fun request(body: String) = Request.Builder()
        .url(completions)
        .header("Accept-Encoding", "identity")
        .apply { apiKey?.let { header("Authorization", "Bearer $it") } }
        .post(body.toByteArray().toRequestBody(JSON))
        .build()
}

private fun completions(url: String): HttpUrl {
    fun refuse(why: String): Nothing = throw ServerException.InvalidServer(why)
    val base = url.toHttpUrlOrNull() ?: refuse("the server's address is not a web address, such as https://models.example")
    if (base.username.isNotEmpty() || base.password.isNotEmpty()) refuse("leave the password out of the address: pass a key")
    if (!base.isHttps && !base.isLoopback) refuse("texts are only sent over TLS (https), or within this machine")
    return base.newBuilder().query(null).fragment(null).addPathSegments("v1/chat/completions").build()
}

private val HttpUrl.isLoopback get() = host == "localhost" || host == "::1" || host.matches(Regex("127(\\.\\d{1,3}){3}"))

private suspend fun Call.passOn(pieces: SendChannel<ByteArray>) = execute().use { response ->
    if (response.code != 200) throw ServerException.Refused(response.code)
    val source = checkNotNull(response.body).source()
    val buffer = Buffer()
    while (source.read(buffer, BUFFER) >= 0) pieces.send(buffer.readByteArray())
}

/** What [work] fails with; null if it ends well. */
private suspend fun outcome(work: suspend () -> Unit): Throwable? = try {
    work()
    null
} catch (error: IOException) {
    ServerException.Unreachable(error.meaning())
} catch (error: Exception) {
    error
}

/** What happened to a connection, without its address. */
private fun IOException.meaning() = when (this) {
    is SocketTimeoutException -> "it was silent for too long"
    is UnknownHostException -> "its name is not known: check the connection"
    is ConnectException -> "nothing listens there"
    is SSLException -> "it could not prove who it is (TLS)"
    is ProtocolException -> "its answer is not HTTP"
    else -> "the connection was lost"
}

/** Where that happens which nobody waits for any more once it is cancelled. */
private val abandoned = CoroutineScope(SupervisorJob() + Dispatchers.IO)
