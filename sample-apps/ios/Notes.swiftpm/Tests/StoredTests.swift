import Foundation
import NotesModel
import Sotto
import Testing

private let summary = NoteSummary(
    title: "Move",
    overview: "",
    points: [NoteSummary.Point(id: 1, text: "The clinic moves", evidence: [1])],
    actions: [NoteSummary.Action(id: 1, text: "write", owner: "Marcus", due: "Thursday", evidence: [2])],
    coverage: NoteSummary.Coverage(segmentsRead: [1, 2], segments: 2, windows: 1)
)

struct StoredTests {
    @Test func aFileThatIsNoNoteIsPassedOver() async throws {
        let folder = try temporaryFolder()
        let store = NoteStore(folder: folder)
        let early = SavedNote(segments: [], date: Date(timeIntervalSince1970: 1))
        let late = SavedNote(segments: [VoiceNote.Segment(id: 1, text: "Hello.")], date: Date(timeIntervalSince1970: 2))
        try await store.save(early)
        try await store.save(late)
        try Data("{".utf8).write(to: folder.appendingPathComponent("broken.json"))
        #expect(await store.notes() == [late, early])
        #expect(late.title == "Hello.")
        try await store.delete(late)
        #expect(await store.notes() == [early])
    }

    @Test func aChangeLeavesTheRestAsItIs() async throws {
        let store = NoteStore(folder: try temporaryFolder())
        let known = SavedNote(segments: VoiceNote.text("Hello.").segments)
        try await store.save(known)
        try await store.update(known) { $0.label = "idea" }
        try await store.update(known) { $0.summary = summary }
        #expect(await store.note(known.id)?.label == "idea")
        #expect(await store.note(known.id)?.summary == summary)

        let longer = VoiceNote.text("Hello. Goodbye.").segments
        try await store.update(known) { $0.segments = longer }
        try await store.update(known) { $0.label = "diary" }
        #expect(await store.note(known.id)?.segments == longer)
        #expect(await store.note(known.id)?.label == "idea")
    }

    @Test func aSummaryAsText() {
        #expect(summary.plainText == "Move\n• The clinic moves\n☐ write (Marcus, Thursday)")
        #expect(summary.plainText(done: [1]) == "Move\n• The clinic moves\n☑ write (Marcus, Thursday)")
    }

    @Test func aNoteOfAnEarlierVersionIsRead() throws {
        let id = UUID()
        let json = #"{"id":"\#(id)","date":1,"segments":[]}"#
        let note = try JSONDecoder().decode(SavedNote.self, from: Data(json.utf8))
        #expect(note.id == id && note.done == nil)
    }

    @Test func theLatestSpeedsAreKept() {
        let metrics = Metrics(
            timeToFirstToken: 1, prefillTokens: 2, prefillSeconds: 1, reusedTokens: 0, decodeTokens: 1,
            decodeSeconds: 1,
            privateBytes: 0, mappedBytes: 0, kernels: "neon", threads: 2
        )
        var speeds = Speeds()
        (0...Speeds.limit).forEach { _ in speeds.add(metrics) }
        #expect(speeds.runs.map(\.id) == Array(2...(Speeds.limit + 1)))
    }
}
