@file:JvmName("AndroidLoading")

package dev.sotto

import android.content.Context
import java.io.File

/**
 * Loads a model, and keeps its packed copy in the folder `sotto` in the app's [Context.getNoBackupFilesDir], unless [options] name
 * another folder. So only the first load takes long, and the weights need no private memory. To pack the weights into private memory
 * at every load instead, leave out [context].
 */
public suspend fun LocalModel.Companion.load(
    context: Context,
    file: ModelFile,
    options: LoadOptions = LoadOptions(),
    onProgress: suspend (Progress) -> Unit = {},
): LocalModel = load(file, options.cachedIn(File(context.noBackupFilesDir, "sotto")), onProgress)
