package dev.sotto.store

import android.content.Context
import android.net.ConnectivityManager
import java.io.File

/**
 * What Android says of network and storage. The app needs the permissions `INTERNET` and `ACCESS_NETWORK_STATE`.
 *
 * @param context any context of the app.
 */
public class AndroidConditions(context: Context) : DownloadConditions {
    private val connectivity = context.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager

    /** Whether the network that the app uses now costs by the byte. */
    override fun isMetered(): Boolean = connectivity.isActiveNetworkMetered

    /** The bytes that an app can still write. */
    override fun freeBytes(folder: File): Long = folder.usableSpace
}
