import Foundation
import NotesModel
import Sotto
import Testing

/// What the app learns from what a person does, and how it is shown and deleted, with the real store and the demo model.
@MainActor struct LearningTests {
    let folder: URL
    let file: URL
    let store: NoteStore
    let learning: Learning
    let note: NoteModel

    init() throws {
        folder = try temporaryFolder()
        file = folder.appendingPathComponent("learning/personal")
        store = NoteStore(folder: folder.appendingPathComponent("notes"))
        learning = Learning(file: file)
        note = NoteModel(store: store, player: Playlist(), learning: learning)
    }

    private func payloads() async throws -> [Personal.Payload] {
        try await learning.store().records().map(\.payload)
    }

    private func examples() async throws -> [String] {
        try await payloads().compactMap { if case .example(_, let label) = $0 { label } else { nil } }
    }

    /// Pastes and summarizes a note.
    @discardableResult private func read(_ text: String) async throws -> SavedNote {
        note.read(text, model: Shared.model)
        await note.settle()
        return try #require(await store.notes().first { $0.transcript == text })
    }

    @Test func aCorrectedLabelIsLearntAndTheNextNoteOfTheKindGetsIt() async throws {
        for day in ["Monday", "Tuesday", "Wednesday", "Thursday", "Saturday"] {
            for (text, label) in [
                ("The canteen sent its menu for \(day): soup and noodles.", "diary"),
                ("Anna wrote that the contract has to be signed by \(day).", "urgent"),
            ] {
                try await read(text)
                note.correct(to: label)
                await note.settle()
                #expect(note.label == label)
                #expect(await store.notes().first { $0.transcript == text }?.label == label)
            }
        }
        #expect(try await examples().count == 10)
        #expect(try await read("The canteen sent its menu for Friday: soup and rice.").label == "diary")
        #expect(try await read("Anna wrote that the lease has to be signed by Friday.").label == "urgent")
    }

    @Test func moreLikeThisSuggestsNotesThatAreAlikeAndNotThisKeepsThemAway() async throws {
        let first = try await read("The trip to the lake: trains leave at nine, bring a tent for the lake.")
        let alike = try await read("Another trip to the lake: bring the tent, the trains to the lake are slow.")
        try await read("The printer in the office is out of paper.")
        note.open(first, model: Shared.model)
        note.want(true)
        await note.settle()
        await note.suggest()
        #expect(note.suggestions.first { $0.id == alike.id }?.reason == .taste(like: first.id.uuidString))
        note.open(alike, model: Shared.model)
        note.want(false)
        await note.settle()
        await note.suggest()
        #expect(note.suggestions.allSatisfy { $0.id != alike.id })
        #expect(try await payloads().contains(.event(item: alike.id.uuidString, event: .dismissed)))
        #expect(await store.note(alike.id)?.isWanted == false)
        note.open(try #require(await store.note(alike.id)), model: Shared.model)
        #expect(note.isWanted == false)
    }

    @Test func nothingOfADeletedNoteIsLeft() async throws {
        let saved = try await read("Zanzibar needs the ticket of Quetzal by Friday.")
        note.correct(to: "urgent")
        note.want(true)
        await note.settle()
        #expect(try Data(contentsOf: file).range(of: Data("Quetzal".utf8)) != nil)
        try await note.delete(saved)
        #expect(try await payloads().isEmpty)
        #expect(try Data(contentsOf: file).range(of: Data("Quetzal".utf8)) == nil)
    }

    @Test func oneNoteIsForgottenFromAnyOfItsRecordsAndTheOthersStayKnown() async throws {
        let other = try await read(sentences[0])
        note.want(true)
        let gone = try await read("The printer in the office is out of paper.")
        note.correct(to: "urgent")
        note.want(false)
        await note.settle()
        let events = try await learning.store().records(Personal.Filter(kind: .event))
        let event = try #require(events.last)
        #expect(event.note == gone.id.uuidString)
        await Knowledge(learning).forget(noteOf: event)
        let left = try await learning.store().records().map(\.note)
        #expect(Set(left) == [other.id.uuidString])
    }

    @Test func whileLearningIsPausedNothingIsLearntAndThePersonIsTold() async throws {
        try await read(sentences[0])
        try await learning.store().setPaused(true)
        let before = try await payloads().count
        note.correct(to: "idea")
        await note.settle()
        #expect(note.label == "idea")
        #expect(note.trouble == .learningPaused)
        #expect(try await payloads().count == before)
    }

    @Test func everythingIsShownExportedAndDeleted() async throws {
        try await read(sentences[0])
        note.correct(to: "idea")
        await note.suggest()
        let knowledge = Knowledge(learning)
        await knowledge.refresh()
        #expect(knowledge.groups.map(\.id) == [.example, .item])
        let exported = try #require(await knowledge.export(to: folder))
        #expect(try String(contentsOf: exported, encoding: .utf8).contains(sentences[0]))
        let example = try #require(knowledge.groups.first?.records.first)
        await knowledge.delete(example)
        #expect(knowledge.deleted?.records == [example.id])
        #expect(try await examples().isEmpty)
        await knowledge.delete(example)
        #expect(knowledge.trouble != nil)
        await knowledge.pause(true)
        #expect(knowledge.isPaused && knowledge.trouble == nil)
        await knowledge.deleteAll()
        #expect(knowledge.groups.isEmpty && knowledge.isPaused)
    }

    @Test func aStoreThatIsInUseElsewhereCostsNoNoteAndIsSaid() async throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let elsewhere = try await Personal.open(file)
        let saved = try await read(sentences[0])
        #expect(saved.summary != nil)
        #expect(note.trouble == .learningInUse)
        #expect(try await elsewhere.count() == 0)
    }
}
