@file:JvmName("AndroidPersonal")

package dev.sotto

import android.content.Context

/**
 * Opens the store [name] in the app's `noBackupFilesDir`, or makes one: it stays on the device, and is deleted with the app. Android
 * encrypts the files of apps, and lets no other app read them.
 */
public suspend fun Personal.Companion.open(context: Context, name: String = "sotto-personal"): Personal =
    open(context.noBackupFilesDir.resolve(name))
