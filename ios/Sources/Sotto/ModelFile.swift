import Foundation
internal import SottoFFI

/// Where a model is: a GGUF file, any part of a split one (`NAME-00001-of-00003.gguf`), or a packed one. It must not be changed
/// while a model is loaded from it.
public struct ModelFile: Hashable, Sendable {
    private enum Place: Hashable {
        case path(String)
        case descriptor(Int32, offset: UInt64, length: UInt64?)
    }

    private let place: Place

    /// The model in the file at `url`.
    public static func file(_ url: URL) -> ModelFile {
        path(url.path)
    }

    /// The model at `path`.
    public static func path(_ path: String) -> ModelFile {
        ModelFile(place: .path(path))
    }

    /// The model in an open file, from byte `offset` on: `length` bytes, or up to the end of the file.
    ///
    /// The descriptor remains yours: close it after ``LocalModel/load(_:options:onProgress:)`` has returned. If
    /// `offset` is a multiple of 4, a packed file is mapped, not copied.
    public static func descriptor(_ descriptor: Int32, offset: UInt64 = 0, length: UInt64? = nil) -> ModelFile {
        ModelFile(place: .descriptor(descriptor, offset: offset, length: length))
    }

    /// Reports on the file, and on the memory its model would need if loaded with these options. Nothing is loaded.
    ///
    /// Files that are not models or cannot run are reported on, too: ``FileReport/whyNot`` says why.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public func inspect(_ options: LoadOptions = LoadOptions()) async throws -> FileReport {
        let job = try translated { try SottoFFI.inspect(file: ffi, options: try options.ffi()) }
        return try await Work(job, value: FileReport.init).value()
    }

    var ffi: FfiModelFile {
        switch place {
        case .path(let path): .path(path: path)
        case .descriptor(let descriptor, let offset, let length):
            .descriptor(descriptor: descriptor, offset: offset, len: length)
        }
    }
}
