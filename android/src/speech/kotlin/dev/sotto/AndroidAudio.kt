@file:JvmName("AndroidAudio")

package dev.sotto

import android.content.res.AssetFileDescriptor
import android.os.ParcelFileDescriptor

/**
 * The recording in a document that another app has opened: `contentResolver.openFileDescriptor(uri, "r")`. Android decodes what it
 * can play. It stays yours: close it when the transcript is there.
 */
public fun Audio.Companion.descriptor(document: ParcelFileDescriptor): Audio =
    Audio(Audio.Source.Platform { it.setDataSource(document.fileDescriptor) })

/** The recording in an asset: `assets.openFd("note.m4a")`. It stays yours: close it when the transcript is there. */
public fun Audio.Companion.descriptor(asset: AssetFileDescriptor): Audio =
    Audio(Audio.Source.Platform { it.setDataSource(asset) })
