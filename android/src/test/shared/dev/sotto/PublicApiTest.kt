package dev.sotto

import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals

/**
 * The public API of a library, of the SDK or of the store, is that of the file in its folder `api`. When it is meant to change:
 * `mvn test -Dtest=PublicApiTest -Dsotto.updateApi=true`, and the change of that file is reviewed with the rest.
 */
class PublicApiTest {
    private val file = File("api").walk().single { it.extension == "api" }

    @Test
    fun `the public API is as it was agreed on`() {
        val dump = StringBuilder()
        val classes = File(System.getProperty("sotto.classes")).walk().filter { it.extension == "class" }
        // Kotlin hides them from apps, which ask a type for its `serializer()`.
        val generated = AbiFilters(emptySet(), setOf("**\$serializer"), emptySet(), emptySet())
        AbiTools.getInstance().printJvmDump(dump, classes.asIterable(), generated)
        if (System.getProperty("sotto.updateApi").toBoolean()) file.writeText(dump.toString())
        assertEquals(file.readText(), dump.toString())
    }

    /** A declaration has a comment above it, or is a property that the comment of its class explains. */
    @Test
    fun `everything public is documented`() {
        val name = Regex("public .*?(?:val|fun|class|interface|object)(?: <.*?>)? (?:\\w+\\.)?(\\w+)")
        for (file in File("src/main/kotlin").walk().filter { it.extension == "kt" }) {
            val lines = file.readLines().map(String::trim)
            val undocumented = lines.indices.filter { index ->
                val public = name.find(lines[index])?.takeIf { it.range.first == 0 } ?: return@filter false
                val above = lines.take(index).last { !it.startsWith("@") }
                val property = public.groupValues[1]
                !above.endsWith("*/") && lines.none { "@property $property " in it || "[$property]" in it }
            }
            assertEquals(emptyList(), undocumented.map { "${file.name}: ${lines[it]}" })
        }
    }
}
