package dev.sotto

import kotlinx.serialization.Contextual
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlin.time.ExperimentalTime
import kotlin.time.Instant
import kotlin.uuid.ExperimentalUuidApi
import kotlin.uuid.Uuid

@OptIn(ExperimentalTime::class, ExperimentalUuidApi::class)
class JsonSchemaTest {
    private inline fun <reified T> assertSchema(expected: String) =
        assertEquals(Json.parseToJsonElement(expected), jsonSchema(serializer<T>().descriptor))

    @Serializable
    enum class Level {
        LOW,

        @SerialName("very high")
        HIGH,
    }

    @Serializable
    @JvmInline
    value class Name(val text: String)

    @Serializable
    data class Inner(val name: Name, val size: UByte?)

    @Serializable
    data class Outer(
        val text: String,
        @SerialName("is_new") val isNew: Boolean,
        val level: Level = Level.LOW,
        val inner: Inner,
        val list: List<Inner?>,
        val scores: Map<String, Double>,
    )

    @Test
    fun `a class with everything`() = assertSchema<Outer>(
        """
            {"type":"object","properties":{
                "text":{"type":"string"},
                "is_new":{"type":"boolean"},
                "level":{"enum":["LOW","very high"]},
                "inner":{"type":"object","properties":{
                    "name":{"type":"string"},
                    "size":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}]}
                },"required":["name","size"],"additionalProperties":false},
                "list":{"type":"array","items":{"anyOf":[{"type":"object","properties":{
                    "name":{"type":"string"},
                    "size":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}]}
                },"required":["name","size"],"additionalProperties":false},{"type":"null"}]}},
                "scores":{"type":"object","additionalProperties":{"type":"number"}}
            },"required":["text","is_new","inner","list","scores"],"additionalProperties":false}
            """,
    )

    @Test
    fun `numbers have the ranges of their types`() {
        assertSchema<Byte>("""{"type":"integer","minimum":-128,"maximum":127}""")
        assertSchema<Int>("""{"type":"integer","minimum":-2147483648,"maximum":2147483647}""")
        assertSchema<Long>("""{"type":"integer","minimum":-9007199254740992,"maximum":9007199254740992}""")
        assertSchema<UInt>("""{"type":"integer","minimum":0,"maximum":4294967295}""")
        assertSchema<Float>("""{"type":"number"}""")
    }

    @Serializable
    sealed interface Event {
        @Serializable
        @SerialName("call")
        data class Call(val to: Name) : Event

        @Serializable
        @SerialName("pause")
        data object Pause : Event
    }

    @Test
    fun `a sealed class is one of its subclasses`() = assertSchema<Event>(
        """
            {"anyOf":[
                {"type":"object","properties":{"type":{"const":"call"},"to":{"type":"string"}},
                 "required":["type","to"],"additionalProperties":false},
                {"type":"object","properties":{"type":{"const":"pause"}},"required":["type"],"additionalProperties":false}
            ]}
            """,
    )

    @Serializable
    @Description("something to do")
    class Errand(
        @Description("what has to be done") val task: String,
        @Description("when") val due: Instant?,
        @Description("the one after it") val next: Inner? = null,
    )

    @Test
    fun `descriptions and times`() {
        assertSchema<Errand>(
            """
            {"type":"object","properties":{
                "task":{"type":"string","description":"what has to be done"},
                "due":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}],"description":"when"},
                "next":{"anyOf":[{"type":"object","properties":{
                    "name":{"type":"string"},
                    "size":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}]}
                },"required":["name","size"],"additionalProperties":false},{"type":"null"}],"description":"the one after it"}
            },"required":["task","due"],"additionalProperties":false,"description":"something to do"}
            """,
        )
        assertSchema<Uuid>("""{"type":"string","format":"uuid"}""")
    }

    @Serializable
    enum class Mail {
        @Description("somebody must act at once")
        URGENT,

        @SerialName("for later")
        LATER,
    }

    @Test
    fun `constants have descriptions as labels`() {
        val labels = listOf(Label("URGENT", "somebody must act at once"), Label("for later"))
        assertEquals(labels, labelsOf(Mail.entries, serializer<Mail>()))
    }

    @Serializable
    class Tree(val children: List<Tree>)

    @Serializable
    class Chain(val next: Chain?)

    @Serializable
    abstract class Open

    @Serializable
    class Foreign(@Contextual val value: java.util.Date)

    @Test
    fun `types that no schema describes are refused by name`() {
        val types: List<SerialDescriptor> =
            listOf(
                serializer<Tree>().descriptor,
                serializer<Chain>().descriptor,
                serializer<Open>().descriptor,
                Foreign.serializer().descriptor,
                serializer<Map<Int, String>>().descriptor,
                serializer<Char>().descriptor,
            )
        for (type in types) {
            val refused = assertFailsWith<SottoException.InvalidInput>(type.serialName) { jsonSchema(type) }
            assertContains(refused.what, "cannot be extracted")
        }
    }

    @Serializable
    data class Bounded(
        val level: Level,
        val size: UByte?,
        val delta: Byte,
        val event: Event.Pause,
        val sure: Boolean,
        @Description("when it happens") val time: Instant,
    )

    @Test
    fun `what comes back decodes, whatever the model knows`() = test {
        wide(LoadOptions(contextLength = 2048)).use { model ->
            repeat(5) { assertIs<Bounded>(model.extract<Bounded>("attempt $it")) }
        }
        demo().use { model ->
            val event = model.extract<Event>("Call Tom")
            assertTrue(event is Event.Call || event is Event.Pause)
        }
    }
}
