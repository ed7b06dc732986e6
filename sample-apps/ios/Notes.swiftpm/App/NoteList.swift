import NotesModel
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
                ForEach(notes) { saved in
                    Button {
                        open(saved)
                    } label: {
                        VStack(alignment: .leading) {
                            Text(saved.title)
                            Text(saved.date, style: .date).font(.caption).foregroundStyle(.secondary)
                        }
                        .badge(saved.label)
                    }
                    .tint(.primary)
                    // It would take the place of the one that is being spoken.
                    .disabled(note.phase == .listening)
                }
                .onDelete { rows in
                    let deleted = rows.map { notes[$0] }
                    notes.remove(atOffsets: rows)
                    Task { for saved in deleted { try await store.delete(saved) } }
                }
            }
            .overlay { if notes.isEmpty { ContentUnavailableView("No notes yet", systemImage: "note") } }
            .navigationTitle("Notes")
            .task { notes = await store.notes() }
        }
    }
}
