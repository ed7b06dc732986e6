import Foundation
import Observation
import Sotto

/// All that the app has learnt: to read, delete, pause and take along.
@MainActor @Observable
public final class Knowledge {
    /// The records of one kind.
    public struct Group: Identifiable {
        /// Which kind.
        public let id: Personal.Kind
        /// The records, in the order in which they were learnt.
        public let records: [Personal.Record]
    }

    /// What a person did on purpose comes first.
    private static let order: [Personal.Kind] = [.example, .event, .text, .training, .setting, .item]

    /// What was learnt, by kind.
    public private(set) var groups: [Group] = []
    /// Whether nothing is learnt for now.
    public private(set) var isPaused = false
    /// What went with the records that were deleted last.
    public private(set) var deleted: Personal.Deletion?
    /// What to tell the person.
    public private(set) var trouble: Trouble?

    private let learning: Learning

    /// What `learning` has learnt.
    public init(_ learning: Learning) {
        self.learning = learning
    }

    /// Reads the store again.
    public func refresh() async {
        await work { _ in nil }
    }

    /// Deletes one record.
    public func delete(_ record: Personal.Record) async {
        await work { try await $0.delete([record.id]) }
    }

    /// Deletes everything that was learnt from the note of this record.
    public func forget(noteOf record: Personal.Record) async {
        await work { [learning] _ in try await learning.forget(record.note) }
    }

    /// Deletes everything.
    public func deleteAll() async {
        await work { try await $0.deleteAll() }
    }

    /// Learns nothing until it is told to go on.
    public func pause(_ isPaused: Bool) async {
        await work {
            try await $0.setPaused(isPaused)
            return nil
        }
    }

    /// Writes everything as JSON to a new file in a folder, for the share sheet, which can delete it.
    public func export(to folder: URL) async -> URL? {
        let file = folder.appendingPathComponent("Sotto.json")
        await work { store in
            try? FileManager.default.removeItem(at: file)
            try await store.export(file)
            return nil
        }
        return trouble == nil ? file : nil
    }

    private func work(_ body: @Sendable (Personal) async throws -> Personal.Deletion?) async {
        do {
            let store = try await learning.store()
            deleted = try await body(store)
            let records = try await store.records()
            groups = Self.order.compactMap { kind in
                let ofKind = records.filter { $0.payload.kind == kind }
                return ofKind.isEmpty ? nil : Group(id: kind, records: ofKind)
            }
            isPaused = try await store.isPaused()
            trouble = nil
        } catch {
            trouble = Trouble(error)
        }
    }
}

extension Personal.Payload {
    /// Which kind it is.
    var kind: Personal.Kind {
        switch self {
        case .example: .example
        case .text: .text
        case .item: .item
        case .event: .event
        case .training: .training
        case .setting: .setting
        }
    }
}
