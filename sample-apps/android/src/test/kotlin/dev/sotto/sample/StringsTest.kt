package dev.sotto.sample

import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import kotlin.test.Test
import kotlin.test.assertEquals

class StringsTest {
    /** Texts by name; those of a plural are joined. Which values each takes is what they must have in common. */
    private fun strings(folder: String): Map<String, Set<String>> {
        val file = File("src/main/res/$folder/strings.xml")
        val nodes = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).documentElement.childNodes
        val elements = (0 until nodes.length).mapNotNull { nodes.item(it) as? Element }
        return elements.filter { it.getAttribute("translatable") != "false" }
            .associate { it.getAttribute("name") to PLACE.findAll(it.textContent).map(MatchResult::value).toSet() }
    }

    @Test
    fun `every language has every text, with the same values in it`() {
        val english = strings("values")
        for (language in listOf("de", "es")) assertEquals(english, strings("values-$language"), language)
    }

    private companion object {
        val PLACE = Regex("%[0-9]+\\$[.0-9]*[a-z]")
    }
}
