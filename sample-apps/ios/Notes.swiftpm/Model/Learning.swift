import Foundation
import Sotto

/// A note that a person may want to read again, and why.
public struct Suggestion: Hashable, Identifiable, Sendable {
    /// The note's.
    public let id: SavedNote.ID
    /// What speaks for it.
    public let reason: Items.Reason
}

/// What the app learns about the person who uses it: which labels their notes get, and which notes they like to see again.
///
/// All of it is in one store, which is opened when it is first needed. Each record belongs to a note, and goes with it.
public actor Learning {
    /// The labels that a note is sorted into.
    public static let labels = ["urgent", "task", "idea", "diary"]

    private static let collection = "notes"
    private static let most = 2

    private let file: URL
    private var opening: Task<Personal, any Error>?
    private var last: Task<Void, Never>?

    /// What is kept in a file, whose folder appears with it.
    public init(file: URL) {
        self.file = file
    }

    /// The store. One that could not be opened, because another process has it, is tried again.
    public func store() async throws -> Personal {
        let task =
            opening
            ?? Task { [file] in
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                return try await Personal.open(file)
            }
        opening = task
        do {
            return try await task.value
        } catch {
            opening = nil
            throw error
        }
    }

    /// How this person would treat a note; `nil` where neither the model nor what was corrected says so.
    public func label(of note: SavedNote, by model: LocalModel) async throws -> String? {
        let judged = try await Self.classifier(in: store()).classify(note.transcript, by: model)
        return judged.abstained ? nil : judged.label
    }

    /// The person says what the label of a note is.
    @discardableResult
    public func correct(_ note: SavedNote, to label: String) async throws -> Personal.Learnt {
        try await inTurn { store in
            try await Self.classifier(in: store).learn(note.transcript, label: label, source: note.id.uuidString)
        }
    }

    /// The person wants more notes like this one, or no more of them, or has read it.
    @discardableResult
    public func record(_ note: SavedNote, _ event: Items.Event) async throws -> Personal.Learnt {
        try await inTurn { store in
            let items = try store.items(Self.collection)
            let put = try await items.put([Self.item(note)])
            return put.paused ? put : try await items.record(note.id.uuidString, event)
        }
    }

    /// Of these notes, those that the person probably likes to see again: only for reasons that were learnt.
    public func suggestions(among notes: [SavedNote]) async throws -> [Suggestion] {
        try await inTurn { store in
            let items = try store.items(Self.collection)
            try await items.put(notes.map(Self.item))
            let all = try await items.recommend(limit: notes.count, exploration: 0)
            let learnt = all.compactMap { found -> Suggestion? in
                guard let note = notes.first(where: { $0.id.uuidString == found.id }) else { return nil }
                switch found.reason {
                case .taste, .habit: return Suggestion(id: note.id, reason: found.reason)
                default: return nil
                }
            }
            return Array(learnt.prefix(Self.most))
        }
    }

    /// Deletes everything that was learnt from a note, by its id as a record has it.
    @discardableResult
    public func forget(_ note: String) async throws -> Personal.Deletion {
        try await inTurn { store in
            let known = try await store.records(Personal.Filter(collection: Self.collection)).filter { $0.note == note }
            return try await store.delete(known.map(\.id))
        }
    }

    /// One after the other, as the person did it: a note that was opened and then not wanted must not be wanted again.
    private func inTurn<T: Sendable>(_ body: @escaping @Sendable (Personal) async throws -> T) async throws -> T {
        let before = last
        let turn = Task {
            await before?.value
            return try await body(store())
        }
        last = Task { _ = await turn.result }
        return try await turn.value
    }

    private static func classifier(in store: Personal) throws -> Classifier {
        try store.classifier(collection, labels: labels.map { Classification.Label($0) })
    }

    private static func item(_ note: SavedNote) -> Items.Item {
        Items.Item(id: note.id.uuidString, text: note.transcript, tags: note.label.map { [$0] } ?? [])
    }
}

extension Personal.Record {
    /// The id of the note that it came from. The source of items and events is their collection.
    public var note: String {
        switch payload {
        case .item(let item): item.id
        case .event(let item, _): item
        default: source
        }
    }
}
