import Foundation
internal import SottoFFI

/// Where a model is: a GGUF file, or a packed one. It must not be changed while a model is loaded from it.
public struct ModelFile: Hashable, Sendable {
    let path: String

    /// The model in the file at `url`.
    public static func file(_ url: URL) -> ModelFile {
        path(url.path)
    }

    /// The model at `path`.
    public static func path(_ path: String) -> ModelFile {
        ModelFile(path: path)
    }

    var ffi: FfiModelFile { .path(path: path) }
}
