package dev.sotto.store

import java.io.File

/** What a store asks before it downloads. [AndroidConditions] asks Android. */
public interface DownloadConditions {
    /** Whether the network costs by the byte. */
    public fun isMetered(): Boolean

    /** The bytes that can still be written in [folder]. */
    public fun freeBytes(folder: File): Long
}

/** For desktops: no network is metered. */
internal object DesktopConditions : DownloadConditions {
    override fun isMetered(): Boolean = false

    override fun freeBytes(folder: File): Long = folder.usableSpace
}
