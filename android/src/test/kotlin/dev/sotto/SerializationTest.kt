package dev.sotto

import kotlinx.serialization.json.Json
import kotlin.test.Test
import kotlin.test.assertEquals

/** An app can keep what it was given. The JSON is the one of Swift's `Codable` types. */
class SerializationTest {
    private val metrics =
        Metrics(
            timeToFirstToken = 0.25,
            prefillTokens = 90,
            prefillSeconds = 0.5,
            reusedTokens = 10,
            decodeTokens = 20,
            decodeSeconds = 1.5,
            privateBytes = 4096,
            mappedBytes = 8192,
            kernels = "neon",
            threads = 4,
        )

    private val summary =
        NoteSummary(
            title = "Upload bug",
            overview = "Marcus writes a test.",
            points = listOf(Point(1, "The bug is open.", listOf(1, 2))),
            actions = listOf(Action(1, "write a test", owner = "Marcus", due = null, evidence = listOf(3))),
            coverage = Coverage(segmentsRead = listOf(1, 2, 3), segments = 3, windows = 1),
            metrics = metrics,
        )

    private inline fun <reified T> assertKept(value: T) =
        assertEquals(value, Json.decodeFromString<T>(Json.encodeToString(value)))

    @Test
    fun `values are kept as they are`() {
        assertKept(summary)
        assertKept(summary.withoutMetrics())
        assertKept(FinishReason.entries.toList())
        assertKept(listOf(Segment(1, "Buy milk."), Segment(2, "Now.", start = 0.5, end = 2.0, speaker = "Dana")))
        assertKept(ChatTurn("Hello?", "Hi."))
        assertKept(ChatTurn("Hello?", "Hi.", listOf(ChatToolUse("", "now", "{}", "noon"))))
        // What a version without tools has stored.
        assertEquals("""{"question":"Hello?","answer":"Hi."}""", Json.encodeToString(ChatTurn("Hello?", "Hi.")))
    }

    @Test
    fun `Swift reads what is written here, and the other way round`() {
        val json =
            """
            {"title":"Upload bug","overview":"Marcus writes a test.",
             "points":[{"id":1,"text":"The bug is open.","evidence":[1,2]}],
             "actions":[{"id":1,"text":"write a test","owner":"Marcus","evidence":[3]}],
             "coverage":{"segmentsRead":[1,2,3],"segments":3,"windows":1},
             "metrics":{"timeToFirstToken":0.25,"prefillTokens":90,"prefillSeconds":0.5,"reusedTokens":10,"decodeTokens":20,
              "decodeSeconds":1.5,"privateBytes":4096,"mappedBytes":8192,"kernels":"neon","threads":4}}
            """
        // Swift leaves out what is absent.
        val asSwift = Json { explicitNulls = false }
        assertEquals(summary, asSwift.decodeFromString<NoteSummary>(json))
        assertEquals(Json.parseToJsonElement(json), asSwift.encodeToJsonElement(NoteSummary.serializer(), summary))
    }
}
