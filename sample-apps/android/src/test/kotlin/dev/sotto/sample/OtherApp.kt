package dev.sotto.sample

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/** Another app, with a note and a picture. */
class OtherApp : ContentProvider() {
    private val files = mapOf("note.txt" to NOTE.toByteArray(), "holiday.jpg" to ByteArray(64))

    private fun bytes(uri: Uri) = files[uri.lastPathSegment] ?: throw FileNotFoundException("there is no $uri")

    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val file = File.createTempFile("other", null, context?.cacheDir).apply { writeBytes(bytes(uri)) }
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.parseMode(mode))
    }

    override fun query(
        uri: Uri,
        projection: Array<out String>?,
        selection: String?,
        selectionArgs: Array<out String>?,
        sortOrder: String?,
    ): Cursor = MatrixCursor(arrayOf(OpenableColumns.SIZE)).apply { addRow(arrayOf(bytes(uri).size)) }

    override fun getType(uri: Uri): String? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, selectionArgs: Array<out String>?) = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, selectionArgs: Array<out String>?) = 0

    companion object {
        const val NAME = "other.app"

        fun uri(file: String): Uri = Uri.parse("content://$NAME/$file")
    }
}
