@file:JvmName("AndroidDescriptors")

package dev.sotto

import android.content.res.AssetFileDescriptor
import android.os.ParcelFileDescriptor

/**
 * The model in a document that another app has opened: `contentResolver.openFileDescriptor(uri, "r")`. It stays yours: close it
 * when [LocalModel.load] has returned.
 */
public fun ModelFile.Companion.descriptor(document: ParcelFileDescriptor): ModelFile = descriptor(document.fd)

/**
 * The model in an asset that is not compressed: `assets.openFd("model.sotto")`. It stays yours: close it when [LocalModel.load]
 * has returned.
 */
public fun ModelFile.Companion.descriptor(asset: AssetFileDescriptor): ModelFile = descriptor(
    asset.parcelFileDescriptor.fd,
    asset.startOffset,
    asset.declaredLength.takeIf { it != AssetFileDescriptor.UNKNOWN_LENGTH },
)
