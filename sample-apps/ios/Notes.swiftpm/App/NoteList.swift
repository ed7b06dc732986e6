import NotesModel
import SwiftUI

/// The notes on this device.
struct NoteList: View {
    let store: NoteStore
    let open: @MainActor (SavedNote) -> Void
    @State private var notes: [SavedNote] = []

    var body: some View {
        NavigationStack {
            List {
                ForEach(notes) { note in
                    Button {
                        open(note)
                    } label: {
                        VStack(alignment: .leading) {
                            Text(note.title)
                            Text(note.date, style: .date).font(.caption).foregroundStyle(.secondary)
                        }
                        .badge(note.label)
                    }
                    .tint(.primary)
                }
                .onDelete { rows in
                    let deleted = rows.map { notes[$0] }
                    notes.remove(atOffsets: rows)
                    Task { for note in deleted { try await store.delete(note) } }
                }
            }
            .overlay { if notes.isEmpty { ContentUnavailableView("No notes yet", systemImage: "note") } }
            .navigationTitle("Notes")
            .task { notes = await store.notes() }
        }
    }
}
