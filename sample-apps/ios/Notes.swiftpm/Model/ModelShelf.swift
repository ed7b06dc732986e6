import DemoModel
import Foundation
import Observation
import Sotto

/// The models on this device, and the one that is loaded.
@MainActor @Observable
public final class ModelShelf {
    /// A model file.
    public struct Entry: Identifiable, Hashable, Sendable {
        /// Where it is.
        public let url: URL
        /// What a list shows of it.
        public let name: String
        /// Its identity.
        public var id: URL { url }
    }

    /// What has become of the chosen model.
    public enum State {
        case unloaded
        /// A share of the work is done, from 0 to 1; the first load of a file takes the longest.
        case loading(Double)
        case ready(LocalModel)
        case failed(String)
    }

    /// Models that can be chosen: the demo model, then those in the folder.
    public private(set) var entries = [ModelShelf.demo]
    /// The one that is loaded, or will be.
    public private(set) var chosen: Entry
    /// How far it is.
    public private(set) var state = State.unloaded

    /// The model that the app comes with.
    public static let demo = Entry(url: DemoModel.url, name: "Demo model")
    /// The chosen model's file name, which stays where the app's folders move. The demo model has none.
    private static let chosenKey = "chosenModel"

    private let folder: URL
    private let copies: PackedCopies
    private let defaults: UserDefaults
    private var loads: [Entry: SharedLoad] = [:]
    /// What waits for the chosen model, though nothing needs it yet.
    private var choosing: Task<Void, Never>?

    /// The models in `folder`; packed copies are kept in `cacheFolder`, which no backup takes and where nothing else is kept. Which
    /// one was chosen is kept in `defaults`.
    public init(folder: URL, cacheFolder: URL, defaults: UserDefaults) {
        self.folder = folder
        self.defaults = defaults
        copies = PackedCopies(folder: cacheFolder)
        try? FileManager.default.createDirectory(at: cacheFolder, withIntermediateDirectories: true)
        cacheFolder.leaveOutOfBackups()
        chosen = Self.demo
        refresh()
        let name = defaults.string(forKey: Self.chosenKey)
        chosen = entries.dropFirst().first { $0.url.lastPathComponent == name } ?? Self.demo
    }

    /// Looks what models there are, and leaves them out of backups: they can be had again. Those that were deleted take their
    /// packed copies along.
    public func refresh() {
        // Unless it can be seen that a model is gone, its copies stay.
        guard let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        else { return }
        let models = files.filter { ["gguf", "sotto"].contains($0.pathExtension) }
        for model in models { model.leaveOutOfBackups() }
        let found = models.map { Entry(url: $0, name: $0.deletingPathExtension().lastPathComponent) }
        entries = [Self.demo] + found.sorted { $0.name < $1.name }
        // A copy that is being made is its load's.
        copies.keepOnly(those: (entries + loads.keys).map(\.url))
    }

    /// Loads another model. The load of the one before ends, unless somebody else waits for it; its memory is free once nothing
    /// uses it any more.
    @discardableResult
    public func choose(_ entry: Entry) -> Task<Void, Never> {
        chosen = entry
        defaults.set(entry == Self.demo ? nil : entry.url.lastPathComponent, forKey: Self.chosenKey)
        state = loads[entry] == nil ? .unloaded : .loading(0)
        let choosing = Task { [before = choosing] in
            // This one waits by the time that the one before has left: if it is for the same model, its load goes on.
            before?.cancel()
            _ = try? await model()
        }
        self.choosing = choosing
        return choosing
    }

    /// The chosen model, which is loaded if need be: once for all who ask meanwhile.
    public func model() async throws -> LocalModel {
        if case .ready(let model) = state { return model }
        do {
            return try await sharedLoad(of: chosen).model()
        } catch is CancellationError where !Task.isCancelled {
            // All others who had waited for it have just given it up.
            return try await model()
        }
    }

    private func sharedLoad(of entry: Entry) -> SharedLoad {
        if let load = loads[entry] { return load }
        state = .loading(0)
        let load = SharedLoad { try await self.load(entry) }
        loads[entry] = load
        return load
    }

    private func load(_ entry: Entry) async throws -> LocalModel {
        // A failure is not kept: the file may be another one next time.
        defer { loads[entry] = nil }
        do {
            let options = LoadOptions(cacheFolder: copies.folder(of: entry.url))
            let model = try await LocalModel.load(.file(entry.url), options: options) { progress in
                Task { @MainActor [weak self] in self?.show(progress, of: entry) }
            }
            // Another one may have been chosen meanwhile.
            if entry == chosen { state = .ready(model) }
            return model
        } catch {
            if entry == chosen { state = error is CancellationError ? .unloaded : .failed(Trouble(error).rawValue) }
            throw error
        }
    }

    private func show(_ progress: LocalModel.Progress, of entry: Entry) {
        guard entry == chosen, case .loading = state else { return }
        state = .loading(Double(progress.done) / Double(max(progress.total, 1)))
    }
}

extension URL {
    /// A model in every backup would fill a person's storage; App Review asks for this.
    func leaveOutOfBackups() {
        var (url, values) = (self, URLResourceValues())
        values.isExcludedFromBackup = true
        // Where it is refused, nothing but a larger backup comes of it.
        try? url.setResourceValues(values)
    }
}
