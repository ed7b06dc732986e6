package dev.sotto

import dev.sotto.internal.FfiAction
import dev.sotto.internal.FfiAdapterInterface
import dev.sotto.internal.FfiAudio
import dev.sotto.internal.FfiAudioInputInterface
import dev.sotto.internal.FfiBackend
import dev.sotto.internal.FfiCapitals
import dev.sotto.internal.FfiChatOptions
import dev.sotto.internal.FfiClassification
import dev.sotto.internal.FfiClassifierInterface
import dev.sotto.internal.FfiContextMemory
import dev.sotto.internal.FfiCoverage
import dev.sotto.internal.FfiDeletion
import dev.sotto.internal.FfiDerived
import dev.sotto.internal.FfiDerivedChange
import dev.sotto.internal.FfiEmbedderInterface
import dev.sotto.internal.FfiEmbedding
import dev.sotto.internal.FfiEmbeddingMemory
import dev.sotto.internal.FfiEmbeddings
import dev.sotto.internal.FfiEvent
import dev.sotto.internal.FfiException
import dev.sotto.internal.FfiExtraction
import dev.sotto.internal.FfiFileKind
import dev.sotto.internal.FfiFileReport
import dev.sotto.internal.FfiFilter
import dev.sotto.internal.FfiFinishReason
import dev.sotto.internal.FfiFormat
import dev.sotto.internal.FfiImported
import dev.sotto.internal.FfiItem
import dev.sotto.internal.FfiItemEvent
import dev.sotto.internal.FfiItemsInterface
import dev.sotto.internal.FfiKind
import dev.sotto.internal.FfiKvType
import dev.sotto.internal.FfiLabel
import dev.sotto.internal.FfiLearnt
import dev.sotto.internal.FfiLimits
import dev.sotto.internal.FfiListenOptions
import dev.sotto.internal.FfiListening
import dev.sotto.internal.FfiLoadOptions
import dev.sotto.internal.FfiMetrics
import dev.sotto.internal.FfiModelFile
import dev.sotto.internal.FfiModelInterface
import dev.sotto.internal.FfiModelReport
import dev.sotto.internal.FfiNear
import dev.sotto.internal.FfiNearestExample
import dev.sotto.internal.FfiNoteSessionInterface
import dev.sotto.internal.FfiNoteSummary
import dev.sotto.internal.FfiOnDeletion
import dev.sotto.internal.FfiPayload
import dev.sotto.internal.FfiPcmFormat
import dev.sotto.internal.FfiPersonalClassification
import dev.sotto.internal.FfiPersonalInterface
import dev.sotto.internal.FfiPoint
import dev.sotto.internal.FfiProgress
import dev.sotto.internal.FfiQuery
import dev.sotto.internal.FfiReason
import dev.sotto.internal.FfiRecommendation
import dev.sotto.internal.FfiRecord
import dev.sotto.internal.FfiReply
import dev.sotto.internal.FfiSampling
import dev.sotto.internal.FfiScaledAdapter
import dev.sotto.internal.FfiScore
import dev.sotto.internal.FfiSegment
import dev.sotto.internal.FfiSessionInterface
import dev.sotto.internal.FfiSpeechInterface
import dev.sotto.internal.FfiSpeechMemory
import dev.sotto.internal.FfiSpeechMetrics
import dev.sotto.internal.FfiStyleAdapter
import dev.sotto.internal.FfiStyleInterface
import dev.sotto.internal.FfiStyleProfile
import dev.sotto.internal.FfiSummaryOptions
import dev.sotto.internal.FfiTimestamp
import dev.sotto.internal.FfiTokenizerInterface
import dev.sotto.internal.FfiTool
import dev.sotto.internal.FfiToolUse
import dev.sotto.internal.FfiTranscribeOptions
import dev.sotto.internal.FfiTranscript
import dev.sotto.internal.FfiTranscriptPart
import dev.sotto.internal.FfiTranscriptSegment
import dev.sotto.internal.FfiTranscriptWord
import dev.sotto.internal.FfiTuneOptions
import dev.sotto.internal.FfiTuneProgress
import dev.sotto.internal.FfiTuneReport
import dev.sotto.internal.FfiTurn
import dev.sotto.internal.FfiWeights
import java.io.File
import java.lang.reflect.Modifier
import kotlin.test.Test
import kotlin.test.assertEquals

/** What the library has, the SDK has. The library's own tests hold it against the Rust SDK. */
class MirrorTest {
    private fun variants(type: Class<*>) = type.declaredClasses
        .filter { it.superclass == type }
        .map { it.simpleName }
        .toSet()

    private fun fields(type: Class<*>) = type.declaredFields
        .filterNot { Modifier.isStatic(it.modifiers) }
        .map { it.name }
        .toSet()

    /** Names of public methods; those with value classes or of internal ones have a suffix. */
    private fun methods(type: Class<*>) = type.declaredMethods
        .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic && !it.name.contains("\$sotto") }
        .map { it.name.substringBefore('-').removePrefix("get").replaceFirstChar(Char::lowercase) }
        .toSet()

    @Test
    fun `every error is there, with its fields`() {
        assertEquals(variants(FfiException::class.java), variants(SottoException::class.java))
        for (variant in FfiException::class.java.declaredClasses.filter { it.superclass == FfiException::class.java }) {
            val mirror = SottoException::class.java.declaredClasses.first { it.simpleName == variant.simpleName }
            assertEquals(fields(variant), fields(mirror), variant.simpleName)
        }
    }

    @Test
    fun `every task is there`() {
        // Lists of names and of labels are the same type to the JVM, so that one of each pair has another name there.
        val overloads = setOf("classifyLabels", "classifyAllLabels")
        // With a style instead of texts, and with a style besides, these are overloads.
        val styled = setOf("tuneStyle", "sessionInStyle")
        // What learns are extensions, in a part of the SDK that an app can do without.
        val extensions = Class.forName("dev.sotto.PersonalModels").declaredMethods
            .filter { it.parameterTypes.firstOrNull() == LocalModel::class.java && !it.isSynthetic }
        val model = methods(LocalModel::class.java) + extensions.map { it.name }
        assertEquals(methods(FfiModelInterface::class.java) - styled, model - overloads - "close")
        // Streaming is what answering is underneath. Tools are given when a conversation begins.
        assertEquals(
            methods(FfiSessionInterface::class.java) - "withTools",
            methods(ChatSession::class.java) - setOf("close", "stream"),
        )
        assertEquals(methods(FfiNoteSessionInterface::class.java), methods(NoteSession::class.java) - "close")
        assertEquals(methods(FfiTokenizerInterface::class.java), methods(Tokenizer::class.java) - "close")
        assertEquals(methods(FfiAdapterInterface::class.java), methods(Adapter::class.java) - "close")
        assertEquals(methods(FfiEmbedderInterface::class.java), methods(Embedder::class.java) - "close")
        assertEquals(methods(FfiPersonalInterface::class.java), methods(Personal::class.java) - "close")
        assertEquals(methods(FfiItemsInterface::class.java), methods(Items::class.java))
        assertEquals(methods(FfiClassifierInterface::class.java), methods(Classifier::class.java) - "close")
        assertEquals(methods(FfiStyleInterface::class.java), methods(Style::class.java))
        // Whether what is heard goes into a note is said to a Listening.
        val speech = methods(FfiSpeechInterface::class.java) - "listenInto"
        assertEquals(speech, methods(Speech::class.java) - "close")
        // A Listening pushes and finishes by itself.
        assertEquals(
            methods(FfiAudioInputInterface::class.java) - setOf("push", "finish"),
            methods(Listening::class.java) - "into",
        )
    }

    @Test
    fun `every format and file is there`() {
        val formats = variants(FfiFormat::class.java).map { it.replaceFirstChar(Char::lowercase) }.toSet()
        assertEquals(formats, methods(AnswerFormat.Companion::class.java))
        val files = variants(FfiModelFile::class.java).map { it.replaceFirstChar(Char::lowercase) }.toSet()
        assertEquals(files, methods(ModelFile.Companion::class.java))
        val recordings = variants(FfiAudio::class.java).map { it.replaceFirstChar(Char::lowercase) }.toSet()
        assertEquals(recordings, methods(Audio.Companion::class.java))
    }

    private val mirrors =
        mapOf(
            FfiSegment::class to Segment::class,
            FfiPoint::class to Point::class,
            FfiAction::class to Action::class,
            FfiCoverage::class to Coverage::class,
            FfiNoteSummary::class to NoteSummary::class,
            FfiClassification::class to Classification::class,
            FfiPersonalClassification::class to PersonalClassification::class,
            FfiNearestExample::class to PersonalClassification.Example::class,
            FfiExtraction::class to Extraction::class,
            FfiReply::class to ChatReply::class,
            FfiLabel::class to Label::class,
            FfiTurn::class to ChatTurn::class,
            FfiToolUse::class to ChatToolUse::class,
            FfiProgress::class to Progress::class,
            FfiMetrics::class to Metrics::class,
            FfiWeights::class to Weights::class,
            FfiModelReport::class to ModelReport::class,
            FfiFileReport::class to FileReport::class,
            FfiContextMemory::class to ContextMemory::class,
            FfiScaledAdapter::class to ScaledAdapter::class,
            FfiLoadOptions::class to LoadOptions::class,
            FfiSampling::class to Sampling::class,
            FfiSummaryOptions::class to SummaryOptions::class,
            FfiChatOptions::class to ChatOptions::class,
            FfiPcmFormat::class to PcmFormat::class,
            FfiTranscribeOptions::class to TranscribeOptions::class,
            FfiListenOptions::class to ListenOptions::class,
            FfiTranscriptWord::class to TranscriptWord::class,
            FfiTranscriptSegment::class to TranscriptSegment::class,
            FfiTranscriptPart::class to TranscriptPart::class,
            FfiTranscript::class to SpeechTranscript::class,
            FfiEmbedding::class to Embedding::class,
            FfiEmbeddingMemory::class to EmbeddingMemory::class,
            FfiSpeechMetrics::class to SpeechMetrics::class,
            FfiSpeechMemory::class to SpeechMemory::class,
            FfiRecord::class to Personal.Record::class,
            FfiFilter::class to Personal.Filter::class,
            FfiDeletion::class to Personal.Deletion::class,
            FfiDerivedChange::class to Personal.DerivedChange::class,
            FfiDerived::class to Personal.Derived::class,
            FfiLearnt::class to Personal.Learnt::class,
            FfiLimits::class to Personal.Limits::class,
            FfiImported::class to Personal.Imported::class,
            FfiItem::class to Item::class,
            FfiItemEvent::class to ItemEvent::class,
            FfiRecommendation::class to Recommendation::class,
            FfiStyleProfile::class to StyleProfile::class,
            FfiStyleAdapter::class to StyleAdapter::class,
            FfiTuneOptions::class to TuneOptions::class,
            FfiTuneProgress::class to TuneProgress::class,
            FfiTuneReport::class to TuneReport::class,
        )

    @Test
    fun `every field is carried`() {
        // JSON, before the SDK has made a value of it.
        val renamed =
            mapOf(FfiExtraction::class to mapOf("json" to "value"), FfiStyleAdapter::class to mapOf("path" to "file"))
        for ((ffi, mirror) in mirrors) {
            val names = renamed[ffi].orEmpty()
            val expected = fields(ffi.java).map { names[it] ?: it }.toSet()
            assertEquals(expected, fields(mirror.java), mirror.simpleName)
        }
        // An entry of the map of scores.
        assertEquals(setOf("label", "probability"), fields(FfiScore::class.java))
        assertEquals(FfiFinishReason.entries.map { it.name }, FinishReason.entries.map { it.name })
        assertEquals(FfiFileKind.entries.map { it.name }, FileKind.entries.map { it.name })
        assertEquals(FfiKvType.entries.map { it.name }, KvType.entries.map { it.name })
        assertEquals(FfiOnDeletion.entries.map { it.name }, OnDeletion.entries.map { it.name })
        assertEquals(FfiCapitals.entries.map { it.name }, Capitals.entries.map { it.name })
        assertEquals(FfiBackend.entries.map { it.name }, Backend.entries.map { it.name })
        assertEquals(FfiKind.entries.map { it.name }, Personal.Kind.entries.map { it.name })
        assertEquals(FfiEvent.entries.map { it.name }, Event.entries.map { it.name })
        assertEquals(variants(FfiPayload::class.java), variants(Personal.Payload::class.java))
        assertEquals(variants(FfiReason::class.java), variants(Reason::class.java))
        assertEquals(variants(FfiNear::class.java), variants(Near::class.java))
    }

    @Test
    fun `no record is forgotten here`() {
        val files = File("../target/kotlin/classes/dev/sotto/internal").list().orEmpty()
        val generated = files.filter { it.startsWith("Ffi") && '$' !in it }.map { it.removeSuffix(".class") }
        val records = generated.filter { name ->
            Class.forName("dev.sotto.internal.$name").methods.any { it.name.substringBefore('-') == "component1" }
        }
        // FfiEmbeddings holds a list, and a Listening has the two parts of FfiListening; times are Java's; a query is given as arguments;
        // a tool has a serializer where FfiTool has a schema.
        val others =
            setOf(
                FfiScore::class,
                FfiEmbeddings::class,
                FfiListening::class,
                FfiTimestamp::class,
                FfiQuery::class,
                FfiTool::class,
            )
        assertEquals((mirrors.keys + others).map { it.simpleName }.toSet(), records.toSet())
    }
}
