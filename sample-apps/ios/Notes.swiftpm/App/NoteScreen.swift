import NotesModel
import Sotto
import SwiftUI

/// Records a note, and shows what was said and what came of it.
struct NoteScreen: View {
    let note: NoteModel
    let models: ModelShelf
    let record: () -> Void

    var body: some View {
        NavigationStack {
            ScrollViewReader { reader in
                List {
                    if case .failed(let message) = note.phase {
                        Label(message, systemImage: "exclamationmark.triangle")
                    }
                    if let trouble = note.trouble {
                        Label(trouble.rawValue, systemImage: "exclamationmark.triangle")
                    }
                    if let summary = note.summary {
                        SummarySection(
                            summary: summary,
                            label: note.label,
                            isWanted: note.isWanted,
                            correct: note.correct,
                            want: note.want
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
                PasteButton(payloadType: String.self) { texts in
                    note.read(texts.joined(separator: "\n"), model: models.model)
                }
                // It would take the place of the note that is being spoken.
                .disabled(note.phase == .listening)
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
