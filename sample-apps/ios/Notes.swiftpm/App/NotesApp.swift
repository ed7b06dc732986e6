import NotesModel
import SwiftUI

@main
struct NotesApp: App {
    @Environment(\.scenePhase) private var scenePhase
    @State private var services = Services.shared
    @State private var screen = Screen.note

    private enum Screen {
        case note, notes, speed, model, knowledge
    }

    init() {
        BackgroundSummaries.register()
    }

    var body: some Scene {
        WindowGroup {
            TabView(selection: $screen) {
                NoteScreen(note: services.note, models: services.models, record: services.record)
                    .tabItem { Label("Note", systemImage: "mic") }
                    .tag(Screen.note)
                NoteList(store: services.store, note: services.note, open: show)
                    .tabItem { Label("Notes", systemImage: "list.bullet") }
                    .tag(Screen.notes)
                SpeedScreen(speeds: services.note.speeds)
                    .tabItem { Label("Speed", systemImage: "chart.line.uptrend.xyaxis") }
                    .tag(Screen.speed)
                ModelScreen(models: services.models)
                    .tabItem { Label("Model", systemImage: "cpu") }
                    .tag(Screen.model)
                KnowledgeScreen(knowledge: services.knowledge, store: services.store)
                    .tabItem { Label("What Sotto knows", systemImage: "brain") }
                    .tag(Screen.knowledge)
            }
            .onOpenURL { file in
                // It would take the place of the note that is being spoken.
                guard services.note.phase != .listening else { return }
                // A file of another app can be read only between these calls.
                let isForeign = file.startAccessingSecurityScopedResource()
                defer { if isForeign { file.stopAccessingSecurityScopedResource() } }
                services.note.read(contentsOf: file, model: services.models.model)
                screen = .note
            }
        }
        .onChange(of: scenePhase) {
            guard scenePhase == .background else { return }
            // The microphone is for apps that can be seen.
            services.note.stop()
            BackgroundSummaries.schedule()
        }
    }

    private func show(_ saved: SavedNote) {
        services.open(saved)
        screen = .note
    }
}

/// What the screens, the shortcut and the background task share: a model is loaded once.
@MainActor
final class Services {
    static let shared = Services()

    let models = ModelShelf(
        folder: .documentsDirectory,
        cacheFolder: URL.applicationSupportDirectory.appending(path: "Models"),
        defaults: .standard
    )
    let speech = SpeechShelf(folder: .documentsDirectory)
    let store = NoteStore(folder: URL.applicationSupportDirectory.appending(path: "Notes"))
    let note: NoteModel
    let knowledge: Knowledge

    private init() {
        let learning = Learning(file: URL.applicationSupportDirectory.appending(path: "Learning/personal"))
        note = NoteModel(store: store, player: Loudspeaker(), learning: learning)
        knowledge = Knowledge(learning)
    }

    /// With the speech model that is installed, or else with the system's recognizer.
    func record() {
        let listener: any Listener =
            speech.installed == nil
            ? Microphone()
            : ModelListener(to: MicrophoneSound()) { [speech] in try await speech.speech() }
        note.record(from: listener, model: models.model)
    }

    func open(_ saved: SavedNote) {
        note.open(saved, model: models.model)
    }
}
