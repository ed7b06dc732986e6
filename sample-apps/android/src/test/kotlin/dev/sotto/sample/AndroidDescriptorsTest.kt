package dev.sotto.sample

import android.content.res.AssetFileDescriptor
import android.os.ParcelFileDescriptor
import dev.sotto.LocalModel
import dev.sotto.ModelFile
import dev.sotto.descriptor
import dev.sotto.load
import kotlinx.coroutines.runBlocking
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What the SDK has for Android alone, on Android's own classes: models in documents and assets. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class AndroidDescriptorsTest {
    @get:Rule
    val folder = TemporaryFolder()

    private fun opened(file: File) = ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)

    private suspend fun assertIsModel(file: ModelFile) =
        LocalModel.load(file).use { assertEquals("llama", it.inspect().architecture) }

    @Test
    fun `a document is a model, and stays the app's`() = runBlocking {
        opened(DEMO_FILE).use { document ->
            assertIsModel(ModelFile.descriptor(document))
            assertTrue(document.fileDescriptor.valid(), "somebody else has closed it")
        }
    }

    @Test
    fun `an asset is a model in the middle of a file`() = runBlocking {
        val model = DEMO_FILE.readBytes()
        val app = folder.newFile("app.apk").apply { writeBytes(ByteArray(OFFSET) + model + ByteArray(99)) }
        AssetFileDescriptor(opened(app), OFFSET.toLong(), model.size.toLong()).use { assertIsModel(ModelFile.descriptor(it)) }
    }

    @Test
    fun `an asset whose length nobody knows goes on to the file's end`() = runBlocking {
        AssetFileDescriptor(opened(DEMO_FILE), 0, AssetFileDescriptor.UNKNOWN_LENGTH).use {
            assertIsModel(ModelFile.descriptor(it))
        }
    }

    @Test
    fun `with a context, a packed copy is kept out of backups`() = runBlocking {
        val app = RuntimeEnvironment.getApplication()
        repeat(2) { LocalModel.load(app, ModelFile.path(DEMO_FILE)).use { assertEquals(0, it.inspect().copiedBytes) } }
        assertEquals(1, File(app.noBackupFilesDir, "sotto").list()?.size)
        LocalModel.load(ModelFile.path(DEMO_FILE)).use { assertTrue(it.inspect().copiedBytes > 0) }
    }

    private companion object {
        const val OFFSET = 5000
    }
}
