import BackgroundTasks
import NotesModel

/// Writes the summaries of notes that were recorded, but not summarized before the app left the screen.
enum BackgroundSummaries {
    /// As in AppInfo.plist.
    private static let identifier = "dev.sotto.notes.summarize"

    /// To be called before the app has launched.
    static func register() {
        BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: .main) { task in
            let work = Task { @MainActor in
                do {
                    let model = try await Services.shared.models.model()
                    try await Services.shared.store.summarizePending(with: model)
                    task.setTaskCompleted(success: true)
                } catch {
                    task.setTaskCompleted(success: false)
                }
            }
            // The system wants its time back: the native work ends within 100 ms, and the rest is done next time.
            task.expirationHandler = { work.cancel() }
        }
    }

    /// Asks for time, once the device is charged and idle.
    static func schedule() {
        let request = BGProcessingTaskRequest(identifier: identifier)
        request.requiresExternalPower = true
        // Where it is refused, in a simulator for one, notes are summarized when they are opened.
        try? BGTaskScheduler.shared.submit(request)
    }
}
