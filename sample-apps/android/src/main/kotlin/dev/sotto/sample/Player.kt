package dev.sotto.sample

import android.media.MediaPlayer
import android.os.Handler
import android.os.Looper
import java.io.File
import java.io.IOException

/** Plays what was said. */
interface Player {
    /** Plays some seconds of [file], in place of what is being played. */
    fun play(file: File, seconds: ClosedFloatingPointRange<Double>)

    /** Ends what is being played. */
    fun stop()
}

/** The phone's loudspeaker, on the main thread. */
class Loudspeaker : Player {
    private val handler = Handler(Looper.getMainLooper())
    private var player: MediaPlayer? = null

    override fun play(file: File, seconds: ClosedFloatingPointRange<Double>) {
        stop()
        val player = MediaPlayer().also { player = it }
        try {
            player.setDataSource(file.path)
            player.prepare()
        } catch (_: IOException) {
            // A recording that cannot be played any more is only shown.
            return stop()
        }
        val length = milliseconds(seconds.endInclusive - seconds.start)
        player.setOnSeekCompleteListener {
            it.start()
            handler.postDelayed(::stop, length)
        }
        player.seekTo(milliseconds(seconds.start), MediaPlayer.SEEK_CLOSEST)
    }

    override fun stop() {
        handler.removeCallbacksAndMessages(null)
        player?.release()
        player = null
    }

    private fun milliseconds(seconds: Double) = (seconds * 1000).toLong()
}
