import NotesModel
import Sotto
import SwiftUI

/// Everything that was learnt about the person: to read, delete, pause and take along.
struct KnowledgeScreen: View {
    let knowledge: Knowledge
    let store: NoteStore
    @State private var titles: [String: String] = [:]
    @State private var isAsking = false
    @State private var exported: URL?

    var body: some View {
        NavigationStack {
            List {
                if let trouble = knowledge.trouble {
                    Label(trouble.words, systemImage: "exclamationmark.triangle")
                }
                if let deleted = knowledge.deleted {
                    Text("Deleted entries: \(deleted.records.count)")
                    if deleted.derived.contains(where: \.dropped) { Text("What was learnt from them is gone, too.") }
                }
                Section {
                    Toggle("Learn from what I do", isOn: learns)
                } footer: {
                    Text("It stays on this device, is left out of backups, and goes with the app.")
                }
                ForEach(knowledge.groups) { group in
                    Section(heading(of: group.id)) {
                        ForEach(group.records, content: row)
                    }
                }
            }
            .overlay {
                if knowledge.groups.isEmpty { ContentUnavailableView("Nothing learnt yet", systemImage: "brain") }
            }
            .navigationTitle("What Sotto knows")
            .toolbar { menu }
            .confirmationDialog("Delete everything that was learnt? The notes stay.", isPresented: $isAsking) {
                Button("Delete everything", role: .destructive) { Task { await knowledge.deleteAll() } }
            }
            .task { await refresh() }
        }
    }

    private var learns: Binding<Bool> {
        Binding {
            !knowledge.isPaused
        } set: { isOn in
            Task { await knowledge.pause(!isOn) }
        }
    }

    @ToolbarContentBuilder private var menu: some ToolbarContent {
        ToolbarItem {
            if let exported {
                ShareLink(item: exported)
            } else {
                Button("Export") { Task { exported = await knowledge.export(to: .temporaryDirectory) } }
            }
        }
        ToolbarItem { Button("Delete everything", role: .destructive) { isAsking = true } }
    }

    private func row(_ record: Personal.Record) -> some View {
        VStack(alignment: .leading) {
            Text(words(for: record.payload))
            Text(detail(of: record)).font(.caption).foregroundStyle(.secondary)
        }
        .swipeActions {
            Button("Delete", role: .destructive) { Task { await knowledge.delete(record) } }
            Button("Forget all about this note") { Task { await knowledge.forget(noteOf: record) } }
        }
    }

    private func refresh() async {
        let notes = await store.notes()
        titles = Dictionary(notes.map { ($0.id.uuidString, $0.title) }) { first, _ in first }
        await knowledge.refresh()
    }

    private func detail(of record: Personal.Record) -> String {
        let date = record.time.formatted(date: .abbreviated, time: .shortened)
        return [date, titles[record.source]].compactMap { $0 }.joined(separator: " · ")
    }

    private func heading(of kind: Personal.Kind) -> LocalizedStringKey {
        switch kind {
        case .example: "Labels that you corrected"
        case .event: "What you did with notes"
        case .text: "Texts that you wrote"
        case .training: "Trainings"
        case .setting: "Settings"
        case .item: "Notes that can be suggested"
        }
    }

    private func words(for payload: Personal.Payload) -> String {
        switch payload {
        case .example(let text, let label): "\(words(forLabel: label)): \(text)"
        case .text(let text): text
        case .item(let item): item.text
        case .event(let item, let event):
            words(for: event, of: titles[item] ?? String(localized: "a note that is no longer there"))
        case .training(let kept, _):
            kept
                ? String(localized: "A training whose result is in use")
                : String(localized: "A training whose result was not good enough")
        case .setting(let name, let value): "\(name): \(value)"
        }
    }

    private func words(for event: Items.Event, of note: String) -> String {
        switch event {
        case .seen: String(localized: "“\(note)” was shown")
        case .opened: String(localized: "You opened “\(note)”")
        case .liked: String(localized: "You want more like “\(note)”")
        case .dismissed: String(localized: "You do not want notes like “\(note)”")
        case .finished: String(localized: "You read “\(note)” to its end")
        }
    }
}
