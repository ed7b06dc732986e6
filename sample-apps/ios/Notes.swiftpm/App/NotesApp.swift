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
                NoteScreen(
                    note: services.note, models: services.models, draft: services.draft, record: services.record
                )
                .tabItem { Label("Note", systemImage: "mic") }
                .tag(Screen.note)
                NoteList(store: services.store, note: services.note, open: show)
                    .tabItem { Label("Notes", systemImage: "list.bullet") }
                    .tag(Screen.notes)
                SpeedScreen(speeds: services.note.speeds)
                    .tabItem { Label("Speed", systemImage: "chart.line.uptrend.xyaxis") }
                    .tag(Screen.speed)
                ModelScreen(models: services.models, speech: services.speech, assets: services.assets)
                    .tabItem { Label("Model", systemImage: "cpu") }
                    .tag(Screen.model)
                KnowledgeScreen(knowledge: services.knowledge, store: services.store)
                    .tabItem { Label("What Sotto knows", systemImage: "brain") }
                    .tag(Screen.knowledge)
            }
            .task { await services.assets.refresh() }
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
    /// What the system needs to understand the person, in the language of their device.
    let assets = SpeechAssets(language: .current, source: SystemSpeechAssets())
    let draft = Draft()
    let note: NoteModel
    let knowledge: Knowledge

    private init() {
        let learning = Learning(file: URL.applicationSupportDirectory.appending(path: "Learning/personal"))
        note = NoteModel(store: store, player: Loudspeaker(), learning: learning)
        knowledge = Knowledge(learning)
    }

    /// With the best that is on this device.
    func record() {
        note.record(from: listener, model: models.model)
    }

    private var listener: any Listener {
        switch Recognition.best(hasModel: speech.installed != nil, assets: assets.state) {
        case .model: return ModelListener(to: MicrophoneSound()) { [speech] in try await speech.speech() }
        case .analyzer:
            #if compiler(>=6.2)
                if #available(iOS 26.0, *) { return AnalyzerMicrophone(language: assets.language) }
            #endif
            return Microphone()
        case .recognizer: return Microphone()
        }
    }

    func open(_ saved: SavedNote) {
        note.open(saved, model: models.model)
    }
}
