package dev.sotto

import dev.sotto.internal.FfiTool
import dev.sotto.internal.FfiToolCall
import dev.sotto.internal.FfiToolHandler
import dev.sotto.internal.FfiToolUse
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.serialization.KSerializer
import kotlinx.serialization.Serializable
import kotlinx.serialization.serializer

/**
 * A function that the model may call in a conversation ([LocalModel.session]).
 *
 * ```
 * @Serializable
 * class City(@Description("the city's name") val city: String)
 *
 * val weather = ChatTool("weather", "Tells today's weather in a city") { arguments: City -> forecast(arguments.city) }
 * val chat = model.session("You plan trips.", listOf(weather))
 * ```
 *
 * @property name letters, digits, `_` and `-`.
 * @property description what the function does, and when the model should call it.
 */
public class ChatTool private constructor(
    public val name: String,
    public val description: String,
    private val parameters: String,
    private val handler: FfiToolHandler,
) {
    internal fun toFfi() = FfiTool(name, description, parameters, handler)

    /** Makes tools. */
    public companion object {
        /**
         * A tool with arguments of the `@Serializable` type [Arguments], which the model always fits; a [Description] tells it
         * more about a property.
         *
         * [handler] returns the text that the model is told. If it throws, the model is told the exception's message instead.
         * It runs on `Dispatchers.Default`, and is cancelled with the answer. It must not ask its own conversation.
         *
         * @throws SottoException.InvalidInput for types that no schema can describe.
         */
        public inline operator fun <reified Arguments> invoke(
            name: String,
            description: String,
            noinline handler: suspend (Arguments) -> String,
        ): ChatTool = of(name, description, serializer<Arguments>(), handler)

        /** Like the other one, with a serializer. */
        public fun <Arguments> of(
            name: String,
            description: String,
            serializer: KSerializer<Arguments>,
            handler: suspend (Arguments) -> String,
        ): ChatTool = ChatTool(name, description, jsonSchema(serializer.descriptor).toString(), Handler(serializer, handler))
    }
}

private class Handler<Arguments>(
    private val serializer: KSerializer<Arguments>,
    private val handler: suspend (Arguments) -> String,
) : FfiToolHandler {
    override fun start(call: FfiToolCall) {
        scope.launch {
            call.use {
                val work = launch { it.run() }
                it.ended()
                work.cancelAndJoin()
            }
        }
    }

    private suspend fun FfiToolCall.run() = try {
        succeed(handler(decode(serializer, arguments())))
    } catch (error: CancellationException) {
        // Of the answer, which then waits no more, or of something of the function's own.
        fail("cancelled")
        throw error
    } catch (error: Exception) {
        fail(error.message ?: error.javaClass.simpleName)
    }

    private companion object {
        val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    }
}

/**
 * A call of a tool, and its result.
 *
 * @property text what the model wrote before the call; mostly empty.
 * @property name the tool's name.
 * @property arguments the arguments, as JSON.
 * @property result what the model was told: the tool's text, or `{"error": …}`.
 */
@Serializable
@ByValue
public class ChatToolUse(
    public val text: String,
    public val name: String,
    public val arguments: String,
    public val result: String,
)

internal fun FfiToolUse.toUse() = ChatToolUse(text, name, arguments, result)

internal fun ChatToolUse.toFfi() = FfiToolUse(text, name, arguments, result)
