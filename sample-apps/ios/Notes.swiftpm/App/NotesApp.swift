import NotesModel
import SwiftUI

@main
struct NotesApp: App {
    @Environment(\.scenePhase) private var scenePhase
    @State private var services = Services.shared

    init() {
        BackgroundSummaries.register()
    }

    var body: some Scene {
        WindowGroup {
            TabView {
                NoteScreen(note: services.note, models: services.models)
                    .tabItem { Label("Note", systemImage: "mic") }
                NoteList(store: services.store, open: services.open)
                    .tabItem { Label("Notes", systemImage: "list.bullet") }
                SpeedScreen(speeds: services.note.speeds)
                    .tabItem { Label("Speed", systemImage: "chart.line.uptrend.xyaxis") }
                ModelScreen(models: services.models)
                    .tabItem { Label("Model", systemImage: "cpu") }
            }
        }
        .onChange(of: scenePhase) {
            if scenePhase == .background { BackgroundSummaries.schedule() }
        }
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
    let store = NoteStore(folder: URL.applicationSupportDirectory.appending(path: "Notes"))
    let note: NoteModel

    private init() {
        note = NoteModel(store: store)
    }

    func open(_ saved: SavedNote) {
        note.open(saved, model: models.model)
    }
}
