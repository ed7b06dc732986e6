package dev.sotto

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.newSingleThreadContext
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

class TasksTest {
    @Test
    fun `a note is summarized, with evidence`() = test {
        demo().use { model ->
            val note = VoiceNote.text(NOTE)
            val summary = model.summarize(note).await()
            val action = assertNotNull(summary.actions.find { "write a test" in it.text })
            assertEquals("Marcus", action.owner)
            assertContains(assertNotNull(action.due), "Thursday")
            assertEquals(listOf(3), action.evidence)
            assertEquals(listOf(1, 2, 3, 4), summary.coverage.segmentsRead)
            assertEquals(note.segments.size, summary.coverage.segments)
            assertTrue(assertNotNull(summary.metrics).decodeTokensPerSecond > 0)
        }
    }

    @Test
    fun `snapshots grow into the summary`() = test {
        demo().use { model ->
            val summary = model.summarize(VoiceNote.text(NOTE))
            val snapshots = summary.snapshots.toList()
            assertTrue(snapshots.size > 5)
            snapshots.zipWithNext { earlier, later -> assertTrue(later.title.startsWith(earlier.title)) }
            assertTrue(snapshots.dropLast(1).all { it.metrics == null })
            assertNotNull(snapshots.last().metrics)
            assertEquals(summary.await(), snapshots.last())
        }
    }

    @Test
    fun `a slow collector gets every snapshot, one that conflates the last`() = test {
        demo().use { model ->
            fun snapshots() = model.summarize(VoiceNote.text(NOTE)).snapshots
            val all = snapshots().toList().map { it.withoutMetrics() }
            assertEquals(all, snapshots().onEach { delay(3) }.toList().map { it.withoutMetrics() })
            val latest = snapshots().conflate().onEach { delay(20) }.toList()
            assertTrue(latest.size < all.size)
            assertEquals(all.last(), latest.last().withoutMetrics())
        }
    }

    @Test
    fun `segments keep their speakers and times`() = test {
        val said =
            listOf(
                Segment(id = 7, text = "I'll send the figures tomorrow.", start = 0.5, end = 2.0, speaker = "Marta"),
                Segment(id = 7, text = "  "),
                Segment(id = 9, text = "Good, and the room is booked.", start = 2.0, end = 4.0, speaker = "Tom"),
            )
        val note = VoiceNote.segments(said)
        assertEquals(listOf(1, 2), note.segments.map { it.id })
        for ((segment, heard) in note.segments.zip(listOf(said[0], said[2]))) {
            assertEquals(Segment(segment.id, heard.text, heard.start, heard.end, heard.speaker), segment)
        }
        demo().use { model ->
            assertTrue(model.summarize(note).await().actions.any { "send the figures" in it.text })
        }
    }

    @Test
    fun `a transcript is read with its times`() {
        val note = VoiceNote.transcript("[00:00] One.\n[00:04.5 --> 00:06] Two.")
        assertEquals(listOf(Segment(1, "One.", 0.0, 4.5), Segment(2, "Two.", 4.5, 6.0)), note.segments)
        val captions = VoiceNote.transcript("WEBVTT\n\n00:00.000 --> 00:04.500\n<v Ines>One.</v>\n\n[Music]\n")
        assertEquals(listOf(Segment(1, "One.", 0.0, 4.5, "Ines")), captions.segments)
        assertEquals(emptyList(), VoiceNote.text(" \n").segments)
    }

    @Test
    fun `a text gets a label`() = test {
        demo().use { model ->
            val result = model.classify("The basement is flooding, come right now!", LABELS)
            assertEquals("urgent", result.label)
            assertEquals(LABELS, result.scores.keys.toList())
            assertTrue(abs(result.scores.values.sum() - 1) < 1e-9)
            assertEquals(result.scores.values.max(), result.confidence)
            assertTrue(model.classify("text", LABELS, minConfidence = 1.0).abstained)
        }
    }

    @Test
    fun `many texts get labels, one after the other`() = test {
        demo().use { model ->
            val texts = listOf("Buy milk.", "The server is down, fix it now!", "Big sale, fifty per cent off!")
            val results = model.classifyAll(texts, LABELS).snapshots.toList()
            assertEquals(texts.map { model.classify(it, LABELS).label }, results.map { it.valueOrThrow().label })
            assertTrue(results[1].valueOrThrow().metrics.reusedTokens > 5)
        }
    }

    @Test
    fun `notes of any priority have the summaries that they have alone`() = test {
        demo().use { model ->
            val texts = listOf("Call Tom on Friday. The lift is stuck.", " ", "Marcus will write a test by Thursday.")
            val notes = texts.map { VoiceNote.text(it) }
            val alone = listOf(0, 2).map { model.summarize(notes[it]).await().actions }
            for (priority in RequestPriority.entries) {
                model.withPriority(priority).use { other ->
                    val results = other.summarizeAll(notes).snapshots.toList()
                    assertEquals(alone, results.mapNotNull { it.value?.actions })
                    assertTrue(results[1].error is SottoException.InvalidInput)
                }
            }
        }
    }

    @Test
    fun `a text without a result does not cost the others theirs`() = test {
        demo().use { model ->
            val texts = listOf("Buy milk.", " ", "Sale!")
            val labels = model.classifyAll(texts, LABELS).snapshots.toList()
            assertEquals(listOf(true, false, true), labels.map { it.value != null })
            assertTrue(labels[1].error is SottoException.InvalidInput)
            val values = model.extractAll<Priority>(texts).snapshots.toList()
            assertEquals(model.extract("Buy milk.", Priority.serializer()).value, values[0].valueOrThrow().value)
            assertFailsWith<SottoException.InvalidInput> { values[1].valueOrThrow() }
            assertEquals(3, values.size)
        }
    }

    @Test
    fun `labels may have descriptions, spaces and commas`() = test {
        demo().use { model ->
            val labels = listOf(Label("urgent", "somebody must act at once"), Label("not now, maybe later"))
            val text = "The basement is flooding, come right now!"
            val result = model.classify(text, labels)
            assertEquals("urgent", result.label)
            assertEquals(labels.map { it.name }, result.scores.keys.toList())
            assertEquals(result.scores, model.classifyAll(listOf(text), labels).snapshots.first().valueOrThrow().scores)
            val undescribed = model.classify(text, labels.map { it.name })
            assertNotEquals(undescribed.scores, result.scores)
        }
    }

    enum class Mail { IGNORABLE, URGENT }

    @Serializable
    enum class NamedMail {
        @SerialName("ignorable")
        CAN_WAIT,

        @SerialName("urgent")
        CANNOT_WAIT,
    }

    @Test
    fun `an enum class is a set of labels`() = test {
        demo().use { model ->
            val text = "The basement is flooding, come right now!"
            val expected = model.classify(text, listOf("IGNORABLE", "URGENT"))
            assertEquals(expected.label, model.classify<Mail>(text, minConfidence = 0.0)?.name)
            assertEquals(NamedMail.CANNOT_WAIT, model.classify<NamedMail>(text))
            assertNull(model.classify<NamedMail>("text", minConfidence = 1.0))
        }
    }

    @Serializable
    enum class Priority { LOW, HIGH }

    @Serializable
    data class Errand(
        val task: String,
        val owner: String?,
        val priority: Priority,
        val count: Short,
        val urgent: Boolean = false,
    )

    @Test
    fun `a text becomes a value of a type, whatever the model knows`() = test {
        for (model in listOf(demo(), wide(LoadOptions(contextLength = 2048)))) {
            model.use {
                // Random weights never end a text of their own will: only what is short by its type ends there.
                if (model.inspect().tuned) {
                    val errand: Errand = model.extract("Carla buys two lamps")
                    assertTrue(errand.task.isNotBlank())
                }
                val value = model.extract("now", Priority.serializer())
                assertTrue(value.value in Priority.entries)
                assertTrue(value.metrics.prefillTokens > 0)
            }
        }
    }

    @Test
    fun `a text becomes JSON of a schema`() = test {
        val schema = Json.parseToJsonElement(
            """{"type":"object","properties":{"yes":{"type":"boolean"}},"required":["yes"]}""",
        )
        demo().use { model ->
            val value = model.extract(NOTE, schema.jsonObject).value
            assertEquals(setOf("yes"), value.jsonObject.keys)
        }
    }

    @Test
    fun `a model reports on itself`() = test {
        demo().use { model ->
            val report = model.inspect(contextLength = 256)
            assertEquals("llama", report.architecture)
            assertEquals(256, report.contextLength)
            assertEquals(DEMO_FILE.length(), report.fileBytes)
            assertTrue(report.tuned && report.fits && report.threads > 0 && report.weights.isNotEmpty())
            assertTrue(model.inspect().privateBytes > report.privateBytes)
        }
    }

    @Test
    fun `a file reports on itself without being loaded`(@TempDir folder: File) = test {
        val report = ModelFile.path(DEMO_FILE).inspect(LoadOptions(contextLength = 256))
        assertEquals(
            listOf(FileKind.MODEL, Fit.FITS, null, "llama", 1),
            report.run {
                listOf(kind, fit, whyNot, architecture, files)
            },
        )
        assertEquals(listOf(256, report.contextLength), report.contexts.map { it.contextLength })
        val cached = ModelFile.path(DEMO_FILE).inspect(LoadOptions(cacheFolder = folder))
        assertEquals(listOf(0L, report.copiedBytes), listOf(cached.copiedBytes, cached.mappedBytes))
        val page = folder.resolve("page.gguf").apply { writeText("<!doctype html>") }
        assertFailsWith<SottoException.ModelInvalid> { ModelFile.path(page).inspect() }
    }

    @Test
    fun `a tokenizer needs no model`() = test {
        Tokenizer.load(ModelFile.path(DEMO_FILE)).use { tokenizer ->
            val ids = tokenizer.encode(NOTE)
            assertEquals(NOTE, tokenizer.decode(ids))
            assertEquals(ids.size, tokenizer.tokenCount(NOTE))
            assertEquals("", tokenizer.decode(listOf(-1)))
            assertEquals(NOTE, ids.joinToString("") { tokenizer.tokenText(it) })
            demo().use { assertEquals(ids.size, it.tokenCount(NOTE)) }
        }
        assertFailsWith<SottoException.ModelNotFound> { Tokenizer.load(ModelFile.path(File("nowhere.gguf"))) }
    }

    @Test
    fun `options reach the engine`() = test {
        suspend fun report(options: LoadOptions) = demo(options).use { it.inspect() }
        val memory = KvType.entries.associateWith { report(LoadOptions(kvType = it)).privateBytes }
        assertTrue(memory.getValue(KvType.Q8) < memory.getValue(KvType.F16))
        assertTrue(memory.getValue(KvType.F16) < memory.getValue(KvType.F32))
        val report = report(LoadOptions(threads = 1, contextLength = 100, backend = Backend.CANDLE))
        assertEquals(listOf(1, 100), listOf(report.threads, report.contextLength))
        assertContains(report.kernels, "candle")
    }

    @Test
    fun `a packed model answers like its source`(@TempDir folder: File) = test {
        val packed = folder.resolve("demo.sotto")
        val progress = mutableListOf<Progress>()
        LocalModel.pack(DEMO_FILE, packed) { progress += it }
        assertEquals(progress.last().total, progress.last().done)
        val expected = demo().use { it.summarize(VoiceNote.text(NOTE)).await() }
        LocalModel.load(ModelFile.path(packed)).use { model ->
            assertEquals(0, model.inspect().copiedBytes)
            assertEquals(expected.withoutMetrics(), model.summarize(VoiceNote.text(NOTE)).await().withoutMetrics())
        }
    }

    @Test
    fun `a cache folder gets a packed copy once`(@TempDir folder: File) = test {
        val options = LoadOptions(cacheFolder = folder)
        val progress = mutableListOf<Progress>()
        LocalModel.load(ModelFile.path(DEMO_FILE), options) { progress += it }.use { assertEquals(0, it.inspect().copiedBytes) }
        assertTrue(progress.isNotEmpty())
        LocalModel.load(ModelFile.path(DEMO_FILE), options) { progress.clear() }.close()
        assertTrue(progress.isNotEmpty(), "the copy was made again")
        assertEquals(1, folder.listFiles()?.size)
    }

    @OptIn(ExperimentalCoroutinesApi::class, kotlinx.coroutines.DelicateCoroutinesApi::class)
    @Test
    fun `collectors run where they were started, and that thread is free meanwhile`() = test {
        newSingleThreadContext("main").use { main ->
            withContext(main) {
                var ticks = 0
                val ticker =
                    launch {
                        while (true) {
                            delay(1)
                            ticks++
                        }
                    }
                demo().use { model ->
                    model.summarize(VoiceNote.text(NOTE)).snapshots.collect {
                        assertContains(Thread.currentThread().name, "main")
                    }
                }
                ticker.cancel()
                assertTrue(ticks > 5, "the thread was blocked: $ticks ticks")
            }
        }
    }

    @Test
    fun `collectors on no thread of their own work too`() = test {
        withContext(Dispatchers.Unconfined) {
            demo().use { model ->
                val snapshots = model.summarize(VoiceNote.text(NOTE)).snapshots.toList()
                assertNotNull(snapshots.last().metrics)
            }
        }
    }

    @Test
    fun `virtual time does not get in the way`() = runTest {
        demo().use { model ->
            assertEquals("urgent", model.classify("The basement is flooding, come right now!", LABELS).label)
            assertNotNull(model.summarize(VoiceNote.text(NOTE)).snapshots.first())
        }
    }
}
