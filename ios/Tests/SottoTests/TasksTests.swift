import Sotto
import Testing

extension AllTests {
    @Suite struct TasksTests {
        @Test func aNoteIsSummarizedWithEvidence() async throws {
            let note = VoiceNote.text(note)
            let summary = try await demo().summarize(note).value
            let action = try #require(summary.actions.first { $0.text.contains("write a test") })
            #expect(action.owner == "Marcus")
            #expect(action.due?.contains("Thursday") == true)
            #expect(action.evidence == [3])
            #expect(summary.coverage.segmentsRead == [1, 2, 3, 4])
            #expect(summary.coverage.segments == note.segments.count)
            #expect(try #require(summary.metrics).decodeTokensPerSecond > 0)
        }
    }
}
