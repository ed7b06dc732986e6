import Foundation
import Sotto

/// The speech model on this device, if a person has put one into the folder. Else, the system's recognizer has to do.
@MainActor
public final class SpeechShelf {
    private let folder: URL
    private var load: (file: URL, task: Task<Speech, any Error>)?

    /// A file of whisper.cpp in `folder`.
    public init(folder: URL) {
        self.folder = folder
    }

    /// The model's file: the first by name. It is left out of backups, since it can be had again.
    public var installed: URL? {
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let models = (files ?? []).filter { $0.pathExtension == "bin" }
        let first = models.min { $0.lastPathComponent < $1.lastPathComponent }
        first?.leaveOutOfBackups()
        return first
    }

    /// The model, which is loaded once. One that fails is tried again the next time: the file may be another one then.
    public func speech() async throws -> Speech {
        guard let file = installed else { throw Trouble.modelNotFound }
        let known = load.flatMap { $0.file == file ? $0.task : nil }
        let task = known ?? Task { try await Speech.load(.file(file)) }
        load = (file, task)
        do {
            return try await task.value
        } catch {
            load = nil
            throw error
        }
    }
}
