package dev.sotto.store

/**
 * How patient a download is. Times are in milliseconds.
 *
 * @property attempts how often it is tried in a row without having received a mebibyte.
 * @property firstWait the wait after the first failure. It doubles with each.
 * @property longestWait the longest wait, also of those that a server asks for.
 * @property silence how long a server may be silent.
 */
internal class Patience(
    val attempts: Int = 6,
    val firstWait: Long = 1_000,
    val longestWait: Long = 60_000,
    val silence: Int = 30_000,
)
