import Foundation

/// The packed copies of models. Each model has a folder of its own for them, so that they can go when it does.
struct PackedCopies {
    /// Where these folders are, and nothing else.
    let folder: URL

    /// Where the copies of a model are, or will be.
    func folder(of model: URL) -> URL {
        folder.appendingPathComponent(model.lastPathComponent)
    }

    /// Removes the copies of all other models. What is mapped can be used until nothing refers to it any more.
    func keepOnly(those models: [URL]) {
        let kept = models.map(\.lastPathComponent)
        let found = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        for copies in found ?? [] where !kept.contains(copies.lastPathComponent) {
            // What is refused is tried again the next time.
            try? FileManager.default.removeItem(at: copies)
        }
    }
}
