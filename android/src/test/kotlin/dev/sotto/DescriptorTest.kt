package dev.sotto

import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** What Android's content providers and assets give: a model in the middle of an open file. */
class DescriptorTest {
    private fun File.containing(model: File, offset: Int) =
        apply { writeBytes(ByteArray(offset) + model.readBytes() + ByteArray(99)) }

    private suspend fun load(file: ModelFile) = LocalModel.load(file)

    @Test
    fun `a packed model is mapped where it lies`(@TempDir folder: File) = test {
        val packed = folder.resolve("model.sotto").also { LocalModel.pack(DEMO_FILE, it) }
        val packageFile = folder.resolve("app.apk").containing(packed, 5004)
        val model = packageFile.opened { load(ModelFile.descriptor(it, 5004, packed.length())) }
        packageFile.delete()
        model.use {
            assertEquals(packed.length() to 0L, it.inspect().let { report -> report.mappedBytes to report.copiedBytes })
            val expected = demo().use { demo -> demo.summarize(VoiceNote.text(NOTE)).await() }
            assertEquals(expected.withoutMetrics(), it.summarize(VoiceNote.text(NOTE)).await().withoutMetrics())
        }
    }

    @Test
    fun `a model that is not packed gets its copy`(@TempDir folder: File) = test {
        val options = LoadOptions(cacheFolder = folder.resolve("models"))
        repeat(2) {
            val model = DEMO_FILE.opened { LocalModel.load(ModelFile.descriptor(it), options) }
            model.use { assertEquals(0, it.inspect().copiedBytes) }
        }
        assertEquals(1, folder.resolve("models").list()?.size)
    }

    @Test
    fun `parts that are not there`(@TempDir folder: File) = test {
        val file = folder.resolve("app.apk").containing(DEMO_FILE, 16)
        file.opened { descriptor ->
            assertFailsWith<SottoException.ModelInvalid> { load(ModelFile.descriptor(descriptor)) }
            assertFailsWith<SottoException.ModelInvalid> { load(ModelFile.descriptor(descriptor, 16, file.length())) }
            assertFailsWith<SottoException.ModelInvalid> { load(ModelFile.descriptor(descriptor, file.length())) }
            assertFailsWith<SottoException.InvalidInput> { ModelFile.descriptor(descriptor, -1) }
            assertFailsWith<SottoException.InvalidInput> { ModelFile.descriptor(descriptor, 0, -1) }
        }
        assertFailsWith<SottoException.ModelNotFound> { load(ModelFile.descriptor(-1)) }
        assertFailsWith<SottoException.ModelNotFound> { load(ModelFile.descriptor(1_000_000)) }
    }
}
