import Foundation
import Sotto

/// The notes on this device: one file each, in a folder.
public actor NoteStore {
    private let folder: URL

    /// The notes in a folder, which appears with the first of them.
    public init(folder: URL) {
        self.folder = folder
    }

    /// Writes a note down, in place of what was known of it.
    public func save(_ note: SavedNote) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(note).write(to: file(of: note), options: .atomic)
    }

    /// Forgets a note.
    public func delete(_ note: SavedNote) throws {
        try FileManager.default.removeItem(at: file(of: note))
    }

    /// All notes, the latest first. A file that is no note is passed over.
    public func notes() -> [SavedNote] {
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let notes = (files ?? []).compactMap { file in
            try? JSONDecoder().decode(SavedNote.self, from: Data(contentsOf: file))
        }
        return notes.sorted { $0.date > $1.date }
    }

    /// Summarizes the notes that have no summary yet, and returns how many it did. Cancelling keeps those that are done.
    @discardableResult
    public func summarizePending(with model: LocalModel) async throws -> Int {
        var done = 0
        for var note in notes() where note.summary == nil {
            note.summary = try await model.summarize(.segments(note.segments)).value
            try save(note)
            done += 1
        }
        return done
    }

    private func file(of note: SavedNote) -> URL {
        folder.appendingPathComponent("\(note.id).json")
    }
}
