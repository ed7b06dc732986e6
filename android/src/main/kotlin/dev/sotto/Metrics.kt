package dev.sotto

import dev.sotto.internal.FfiMetrics
import kotlinx.serialization.Serializable

/**
 * Time, tokens and memory of a request.
 *
 * @property timeToFirstToken seconds from the start of the request to the first token of the answer.
 * @property prefillTokens prompt tokens that were computed.
 * @property prefillSeconds time spent on them.
 * @property reusedTokens prompt tokens that were already in the cache and cost nothing.
 * @property decodeTokens tokens of the answer.
 * @property decodeSeconds time spent on them.
 * @property privateBytes private memory of this request.
 * @property mappedBytes the mapped model file: clean pages, which the system can reclaim at any time.
 * @property kernels the instruction set in use.
 * @property threads number of threads.
 * @property handedOver why a server of the app answered instead of the device ([Fallback]); null if the device did. Of a server's answer,
 *   tokens are what the server says of them, or 0, and memory is 0.
 */
@Serializable
@ByValue
public class Metrics(
    public val timeToFirstToken: Double,
    public val prefillTokens: Int,
    public val prefillSeconds: Double,
    public val reusedTokens: Int,
    public val decodeTokens: Int,
    public val decodeSeconds: Double,
    public val privateBytes: Long,
    public val mappedBytes: Long,
    public val kernels: String,
    public val threads: Int,
    public val handedOver: HandoverReason? = null,
) {
    /** Prompt tokens per second; 0 if there were none. */
    public val prefillTokensPerSecond: Double get() = rate(prefillTokens, prefillSeconds)

    /** Answer tokens per second; 0 if there were none. */
    public val decodeTokensPerSecond: Double get() = rate(decodeTokens, decodeSeconds)
}

private fun rate(count: Int, seconds: Double) = if (seconds > 0) count / seconds else 0.0

internal fun FfiMetrics.toMetrics() = Metrics(
    timeToFirstToken = timeToFirstToken,
    prefillTokens = prefillTokens.toInt(),
    prefillSeconds = prefillSeconds,
    reusedTokens = reusedTokens.toInt(),
    decodeTokens = decodeTokens.toInt(),
    decodeSeconds = decodeSeconds,
    privateBytes = privateBytes.toLong(),
    mappedBytes = mappedBytes.toLong(),
    kernels = kernels,
    threads = threads.toInt(),
    handedOver = handedOver?.toReason(),
)
