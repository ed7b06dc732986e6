package dev.sotto

/** Run without the native library, by [ErrorsTest]. The second call finds what the first has left behind. */
fun main() = repeat(2) {
    try {
        VoiceNote.text("text")
        error("there is a library")
    } catch (expected: SottoException.Unsupported) {
        println(expected.message)
    }
}
