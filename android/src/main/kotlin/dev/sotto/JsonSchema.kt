package dev.sotto

import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.PolymorphicKind
import kotlinx.serialization.descriptors.PrimitiveKind
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.SerialKind
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.elementDescriptors
import kotlinx.serialization.descriptors.elementNames
import kotlinx.serialization.descriptors.nonNullOriginal
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject

/** Larger integers are not exact in every JSON reader. */
private const val LARGEST_EXACT_INTEGER = 1L shl 53

/** Types that are written as texts of a certain form. */
private val FORMATS =
    mapOf(
        "kotlin.time.Instant" to "date-time",
        "kotlinx.datetime.Instant" to "date-time",
        "kotlinx.datetime.LocalDate" to "date",
        "kotlin.uuid.Uuid" to "uuid",
    )

/** The property by which kotlinx.serialization distinguishes the subclasses of a sealed class. */
private const val SUBCLASS = "type"

/**
 * The JSON schema of a type, derived from its serializer.
 *
 * @throws SottoException.InvalidInput for types that no schema can describe: open, contextual and recursive ones, and
 *   maps whose keys are not strings.
 */
internal fun jsonSchema(descriptor: SerialDescriptor): JsonObject = SchemaBuilder().schema(descriptor)

@OptIn(ExperimentalSerializationApi::class)
private class SchemaBuilder {
    private val within = ArrayDeque<String>()

    fun schema(descriptor: SerialDescriptor): JsonObject =
        undescribedSchema(descriptor).described(descriptor.annotations.description())

    private fun undescribedSchema(descriptor: SerialDescriptor): JsonObject = if (descriptor.isNullable) {
        buildJsonObject {
            putJsonArray("anyOf") {
                add(plainSchema(descriptor.nonNullOriginal))
                addJsonObject { put("type", "null") }
            }
        }
    } else {
        plainSchema(descriptor)
    }

    private fun plainSchema(descriptor: SerialDescriptor): JsonObject {
        unsignedRange(descriptor)?.let { return integer(it) }
        if (descriptor.isInline) return schema(descriptor.getElementDescriptor(0))
        return when (descriptor.kind) {
            PrimitiveKind.BOOLEAN -> ofType("boolean")
            PrimitiveKind.BYTE -> integer(Byte.MIN_VALUE.toLong()..Byte.MAX_VALUE)
            PrimitiveKind.SHORT -> integer(Short.MIN_VALUE.toLong()..Short.MAX_VALUE)
            PrimitiveKind.INT -> integer(Int.MIN_VALUE.toLong()..Int.MAX_VALUE)
            PrimitiveKind.LONG -> integer(-LARGEST_EXACT_INTEGER..LARGEST_EXACT_INTEGER)
            PrimitiveKind.FLOAT, PrimitiveKind.DOUBLE -> ofType("number")
            PrimitiveKind.STRING -> ofText(descriptor)
            SerialKind.ENUM -> buildJsonObject { putJsonArray("enum") { descriptor.elementNames.forEach { add(it) } } }
            StructureKind.CLASS, StructureKind.OBJECT -> ofClass(descriptor)
            StructureKind.LIST -> ofList(descriptor)
            StructureKind.MAP -> ofMap(descriptor)
            PolymorphicKind.SEALED -> ofSealedClass(descriptor)
            else -> throw unsupported(descriptor, "no schema can describe it")
        }
    }

    private fun ofClass(descriptor: SerialDescriptor, subclass: String? = null): JsonObject {
        if (descriptor.serialName in within) throw unsupported(descriptor, "it contains itself")
        within.addLast(descriptor.serialName)
        val properties = 0 until descriptor.elementsCount
        return buildJsonObject {
            put("type", "object")
            putJsonObject("properties") {
                subclass?.let { putJsonObject(SUBCLASS) { put("const", it) } }
                properties.forEach { put(descriptor.getElementName(it), propertySchema(descriptor, it)) }
            }
            putJsonArray("required") {
                subclass?.let { add(SUBCLASS) }
                properties.filterNot(descriptor::isElementOptional).forEach { add(descriptor.getElementName(it)) }
            }
            put("additionalProperties", false)
        }.also { within.removeLast() }
    }

    private fun propertySchema(descriptor: SerialDescriptor, index: Int): JsonObject {
        val description = descriptor.getElementAnnotations(index).description()
        return schema(descriptor.getElementDescriptor(index)).described(description)
    }

    private fun ofText(descriptor: SerialDescriptor) = ofType("string") {
        FORMATS[descriptor.serialName.substringBefore('/')]?.let { put("format", it) }
    }

    private fun ofList(descriptor: SerialDescriptor) =
        ofType("array") { put("items", schema(descriptor.getElementDescriptor(0))) }

    private fun ofMap(descriptor: SerialDescriptor): JsonObject {
        if (descriptor.getElementDescriptor(0).kind != PrimitiveKind.STRING) {
            throw unsupported(descriptor, "its keys are no strings")
        }
        return ofType("object") { put("additionalProperties", schema(descriptor.getElementDescriptor(1))) }
    }

    /** Its second element holds the subclasses. */
    private fun ofSealedClass(descriptor: SerialDescriptor) = buildJsonObject {
        putJsonArray("anyOf") {
            descriptor.getElementDescriptor(1).elementDescriptors.forEach { add(ofClass(it, it.serialName)) }
        }
    }
}

private fun JsonObject.described(description: String?): JsonObject =
    if (description == null) this else JsonObject(this + ("description" to JsonPrimitive(description)))

private fun unsignedRange(descriptor: SerialDescriptor): LongRange? = when (descriptor.serialName) {
    "kotlin.UByte" -> 0L..UByte.MAX_VALUE.toLong()
    "kotlin.UShort" -> 0L..UShort.MAX_VALUE.toLong()
    "kotlin.UInt" -> 0L..UInt.MAX_VALUE.toLong()
    "kotlin.ULong" -> 0L..LARGEST_EXACT_INTEGER
    else -> null
}

private fun integer(range: LongRange) = ofType("integer") {
    put("minimum", range.first)
    put("maximum", range.last)
}

private fun ofType(type: String, more: JsonObjectBuilder.() -> Unit = {}) = buildJsonObject {
    put("type", type)
    more()
}

private fun unsupported(descriptor: SerialDescriptor, why: String) =
    SottoException.InvalidInput("a value of ${descriptor.serialName} cannot be extracted: $why")
