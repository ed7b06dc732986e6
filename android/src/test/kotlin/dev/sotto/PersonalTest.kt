package dev.sotto

import java.io.File
import java.time.OffsetDateTime
import kotlin.io.path.createTempDirectory
import kotlin.test.AfterTest
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue

class PersonalTest {
    private val folder: File = createTempDirectory("personal").toFile()
    private val file = folder.resolve("personal")
    private val morning = OffsetDateTime.parse("2026-11-30T07:30:00+01:00")

    @AfterTest
    fun clean() {
        folder.deleteRecursively()
    }

    private suspend fun Personal.recipes() = items("recipes").apply {
        put(
            listOf(Item("soup", "lentil soup with cumin", listOf("soup")), Item("cake", "chocolate cake", listOf("sweet"))),
            morning,
        )
    }

    @Test
    fun `items are recommended with their reasons`() = test {
        Personal.open(file).use { personal ->
            val recipes = personal.recipes()
            recipes.recordAll((0L until 20).map { ItemEvent("cake", Event.OPENED, morning.plusDays(it)) })
            val now = morning.plusDays(20)
            assertEquals("cake", recipes.recommend(now = now, exploration = 0.0).first().id)
            val found = recipes.recommend(near = Near.Text("a soup of lentil"), limit = 1, now = now)
            assertEquals("soup", found.single().id)
            assertContains(assertIs<Reason.Near>(found.single().reason).words, "lentil")
            assertEquals(listOf("soup"), recipes.recommend(near = Near.Item("cake"), now = now).map { it.id })
            recipes.record("cake", Event.DISMISSED, now)
            assertEquals(listOf("soup"), recipes.recommend(now = now).map { it.id })
            assertFailsWith<SottoException.InvalidInput> { recipes.record("pie", Event.OPENED) }
            assertFailsWith<SottoException.InvalidInput> { recipes.recommend(limit = -1) }
            assertFailsWith<SottoException.InvalidInput> { recipes.recommend(exploration = 2.0) }
            assertEquals(22, recipes.remove("cake").records.size)
        }
    }

    @Test
    fun `all that was learnt is listed, taken along, paused and deleted`() = test {
        Personal.open(file).use { personal ->
            val recipes = personal.recipes()
            val event = recipes.record("cake", Event.LIKED, morning).ids.single()
            val record = personal.records(Personal.Filter(kind = Personal.Kind.EVENT)).single()
            val payload = Personal.Payload.Event("cake", Event.LIKED)
            assertEquals(Personal.Record(event, "recipes", "recipes", morning, payload), record)
            val items = personal.records(Personal.Filter("recipes", Personal.Kind.ITEM, limit = 1))
            assertEquals(
                Item("soup", "lentil soup with cumin", listOf("soup")),
                assertIs<Personal.Payload.Item>(items.single().payload).item,
            )

            personal.setPaused(true)
            assertTrue(personal.isPaused() && recipes.record("cake", Event.LIKED, morning).paused)
            personal.setPaused(false)

            val export = folder.resolve("export.json")
            personal.export(export)
            assertContains(export.readText(), "chocolate")
            assertEquals(Personal.Imported(0, 3), personal.import(export))
            export.delete()

            assertTrue(personal.setLimits(Personal.Limits(maxRecords = 5, maxAgeDays = 30), morning).records.isEmpty())
            assertEquals(Personal.Limits(5, 30), personal.limits())
            assertTrue(personal.tidy(morning).records.isEmpty() && personal.allDerived().isEmpty())
            assertEquals(listOf(event), personal.delete(listOf(event)).records)
            assertFailsWith<SottoException.InvalidInput> { personal.delete(listOf(event)) }
            assertEquals(2, personal.forget("recipes").records.size)
            recipes.put(listOf(Item("secret", "meet at the lighthouse")))
            assertEquals(1, personal.deleteAll().records.size)
            assertEquals(0, personal.count())
            val left = folder.walk().filter { it.isFile }.joinToString { it.readText(Charsets.ISO_8859_1) }
            assertFalse("lighthouse" in left || "chocolate" in left)
        }
    }

    @Test
    fun `a store is open only once, and other files are refused`() = test {
        val personal = Personal.open(file)
        assertEquals(file.path, assertFailsWith<SottoException.StoreInUse> { Personal.open(file) }.path)
        personal.close()
        assertFailsWith<IllegalStateException> { personal.count() }
        Personal.open(file).close()
        val foreign = folder.resolve("foreign").apply { writeText("something else") }
        assertFailsWith<SottoException.StoreInvalid> { Personal.open(foreign) }
        assertFailsWith<SottoException.Storage> { Personal.open(folder.resolve("no/where")) }
    }
}
