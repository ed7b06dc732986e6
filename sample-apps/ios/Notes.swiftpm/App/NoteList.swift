import NotesModel
import Sotto
import SwiftUI

/// The notes on this device.
struct NoteList: View {
    let store: NoteStore
    let note: NoteModel
    let open: @MainActor (SavedNote) -> Void
    @State private var notes: [SavedNote] = []

    var body: some View {
        NavigationStack {
            List {
                if !suggested.isEmpty {
                    Section("For you") {
                        ForEach(suggested, id: \.note.id) { saved, reason in row(saved, Text(reason)) }
                    }
                }
                Section {
                    ForEach(notes) { saved in
                        row(saved, Text(saved.date, style: .date))
                            .badge(saved.label.map { Text(words(forLabel: $0)) })
                    }
                    .onDelete { rows in
                        let deleted = rows.map { notes[$0] }
                        notes.remove(atOffsets: rows)
                        Task { for saved in deleted { try await note.delete(saved) } }
                    }
                }
            }
            .overlay { if notes.isEmpty { ContentUnavailableView("No notes yet", systemImage: "note") } }
            .navigationTitle("Notes")
            .task {
                notes = await store.notes()
                await note.suggest()
            }
        }
    }

    /// The notes to read again, each with the reason.
    private var suggested: [(note: SavedNote, reason: String)] {
        note.suggestions.compactMap { suggestion in
            notes.first { $0.id == suggestion.id }.map { ($0, words(for: suggestion.reason)) }
        }
    }

    private func words(for reason: Items.Reason) -> String {
        if case .taste(let id) = reason, let liked = notes.first(where: { $0.id.uuidString == id }) {
            return String(localized: "Because you want more like “\(liked.title)”")
        }
        return String(localized: "Because you often read such notes at this time")
    }

    private func row(_ saved: SavedNote, _ detail: Text) -> some View {
        Button {
            open(saved)
        } label: {
            VStack(alignment: .leading) {
                Text(saved.title)
                detail.font(.caption).foregroundStyle(.secondary)
            }
        }
        .tint(.primary)
        // It would take the place of the one that is being spoken.
        .disabled(note.phase == .listening)
    }
}
