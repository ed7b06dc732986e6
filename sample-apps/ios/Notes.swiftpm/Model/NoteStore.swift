import Foundation
import Sotto

/// The notes on this device, in a folder: one file each, and one for the sound of those that were spoken.
public actor NoteStore {
    private nonisolated let folder: URL

    /// The notes in a folder, which appears with the first of them.
    public init(folder: URL) {
        self.folder = folder
    }

    /// Writes a note down, in place of what was known of it.
    public func save(_ note: SavedNote) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(note).write(to: file(of: note.id), options: .atomic)
    }

    /// Changes what is kept of a note, unless it was deleted or has gone on meanwhile: then it is not the known one any more.
    public func update(_ known: SavedNote, _ change: @Sendable (inout SavedNote) -> Void) throws {
        guard var note = note(known.id), note.transcript == known.transcript else { return }
        change(&note)
        try save(note)
    }

    /// Forgets a note.
    public func delete(_ note: SavedNote) throws {
        try FileManager.default.removeItem(at: file(of: note.id))
        deleteSound(of: note.id)
    }

    /// Where the sound of a note is kept, if it is.
    public nonisolated func sound(of id: SavedNote.ID) -> URL {
        folder.appendingPathComponent("\(id).caf")
    }

    /// Forgets the sound of a note. There need not be any.
    func deleteSound(of id: SavedNote.ID) {
        try? FileManager.default.removeItem(at: sound(of: id))
    }

    /// A note, unless it was deleted.
    public func note(_ id: SavedNote.ID) -> SavedNote? {
        note(in: file(of: id))
    }

    /// All notes, the latest first. A file that is no note is passed over.
    public func notes() -> [SavedNote] {
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return (files ?? []).compactMap(note(in:)).sorted { $0.date > $1.date }
    }

    /// Summarizes the notes that have no summary yet, and returns how many it did. Cancelling keeps those that are done.
    @discardableResult
    public func summarizePending(with model: LocalModel) async throws -> Int {
        var done = 0
        for note in notes() where note.summary == nil {
            let summary = try await model.summarize(.segments(note.segments)).value
            try update(note) { $0.summary = summary }
            done += 1
        }
        return done
    }

    private func note(in file: URL) -> SavedNote? {
        try? JSONDecoder().decode(SavedNote.self, from: Data(contentsOf: file))
    }

    private func file(of id: SavedNote.ID) -> URL {
        folder.appendingPathComponent("\(id).json")
    }
}
