package dev.sotto.sample

import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals

class AssetsTest {
    /** The folder is also a Swift package and has its own papers: `build.gradle.kts` says what of it goes into an APK. */
    @Test
    fun `of the demo model's folder, the model alone is packaged`() {
        val pattern = Regex("ignoreAssetsPattern = \"(.*)\"").find(File("build.gradle.kts").readText())!!.groupValues[1]
        val ignored = pattern.split(":").map { it.removePrefix("!*") }
        val packaged = DEMO_FILE.parentFile.list().orEmpty().filterNot { name -> ignored.any(name::endsWith) }
        assertEquals(listOf(DEMO_FILE.name), packaged)
    }
}
