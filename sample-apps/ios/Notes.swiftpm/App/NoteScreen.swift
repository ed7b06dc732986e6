import NotesModel
import Sotto
import SwiftUI

/// Records or types a note, and shows what was said and what came of it.
struct NoteScreen: View {
    let note: NoteModel
    let models: ModelShelf
    @Bindable var draft: Draft
    let record: () -> Void
    @State private var isTyping = false

    var body: some View {
        NavigationStack {
            ScrollViewReader { reader in
                List {
                    if case .failed(let message) = note.phase {
                        Label(LocalizedStringKey(message), systemImage: "exclamationmark.triangle")
                    }
                    if let trouble = note.trouble {
                        Label(trouble.words, systemImage: "exclamationmark.triangle")
                    }
                    if let summary = note.summary {
                        SummarySection(
                            summary: summary,
                            label: note.label,
                            isWanted: note.isWanted,
                            done: note.done,
                            correct: note.correct,
                            want: note.want,
                            tick: note.tick
                        ) { ids in
                            note.showEvidence(ids)
                            if let first = ids.first { withAnimation { reader.scrollTo(first) } }
                        }
                    }
                    TranscriptSection(note: note)
                }
            }
            .navigationTitle("Note")
            .toolbar {
                Button("Type a note", systemImage: "keyboard") { isTyping = true }
                    .disabled(note.phase == .listening)
                PasteButton(payloadType: String.self) { texts in
                    note.read(texts.joined(separator: "\n"), model: models.model)
                }
                // It would take the place of the note that is being spoken.
                .disabled(note.phase == .listening)
            }
            .sheet(isPresented: $isTyping) {
                TypeScreen(draft: draft) { note.read(draft.take(), model: models.model) }
            }
            .safeAreaInset(edge: .bottom) { RecordButton(note: note, record: record).padding() }
        }
    }
}

private struct TranscriptSection: View {
    let note: NoteModel

    var body: some View {
        Section("Transcript") {
            ForEach(note.segments) { segment in
                Text(segment.text)
                    .id(segment.id)
                    .listRowBackground(note.evidence.contains(segment.id) ? Color.yellow.opacity(0.3) : nil)
            }
            if !note.hearing.isEmpty {
                Text(note.hearing).foregroundStyle(.secondary)
            }
        }
    }
}

private struct RecordButton: View {
    let note: NoteModel
    let record: () -> Void

    var body: some View {
        switch note.phase {
        case .listening:
            Button("Stop", systemImage: "stop.fill", action: note.stop).buttonStyle(.borderedProminent)
        case .summarizing:
            Button("Cancel", systemImage: "xmark", action: note.cancel).buttonStyle(.bordered)
        case .idle, .failed:
            Button("Record", systemImage: "mic.fill", action: record).buttonStyle(.borderedProminent)
        }
    }
}
