package dev.sotto

import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse

class DeleteSourceTest {
    @TempDir
    lateinit var folder: File

    @Test
    fun `a model that was deleted after packing is loaded by its path`() = test {
        val file = DEMO_FILE.copyTo(folder.resolve("model.gguf"))
        val options = LoadOptions(cacheFolder = folder.resolve("cache"), deleteSourceAfterPacking = true)
        val tokens = demo().use { it.tokenCount(NOTE) }
        repeat(2) {
            LocalModel.load(ModelFile.path(file), options).use { assertEquals(tokens, it.tokenCount(NOTE)) }
            assertFalse(file.exists())
        }
        assertFailsWith<SottoException.ModelNotFound> { LocalModel.load(ModelFile.path(folder.resolve("other.gguf")), options) }
    }

    @Test
    fun `without a cache folder nothing is deleted`() = test {
        assertFailsWith<SottoException.InvalidInput> { demo(LoadOptions(deleteSourceAfterPacking = true)) }
    }
}
