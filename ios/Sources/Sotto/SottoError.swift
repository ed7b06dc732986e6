import Foundation
internal import SottoFFI

/// The errors of Sotto.
///
/// Each says what an app can do about it. None contains the user's text, so they can be logged. A cancelled task throws
/// Swift's own `CancellationError`, as usual.
public enum SottoError: Error, Hashable, Sendable {
    /// The model file `path` does not exist or cannot be read; `reason` says why.
    case modelNotFound(path: String, reason: String)
    /// The file is not a valid model: it is incomplete, inconsistent at `at`, or something else. `why` recommends
    /// another download only if the size or a checksum shows that it would help.
    case modelInvalid(why: String, at: String)
    /// This version or device does not support `what`, or it is not a language model.
    case unsupported(what: String)
    /// The device does not have `needed` bytes of memory available, only `available` (0 if unknown).
    case outOfMemory(needed: Int, available: Int)
    /// The file or folder `path` cannot be written; `reason` is the system's message.
    case storage(path: String, reason: String)
    /// The file `path` is damaged, or is not a personal store; `why` says how.
    case storeInvalid(path: String, why: String)
    /// The personal store `path` is open elsewhere.
    case storeInUse(path: String)
    /// The text needs `needed` tokens, but the limit is `limit`.
    case contextFull(limit: Int, needed: Int)
    /// An argument is invalid; `what` says what is wrong.
    case invalidInput(what: String)
    /// The ``Fallback``'s server sent something else than an answer, or not all of one; `why` says what.
    case serverAnswer(why: String)
    /// The work was stopped by something other than the task that waited for it.
    case cancelled
    /// An error in Sotto itself.
    case `internal`(why: String)
}

extension SottoError: LocalizedError {
    /// What happened.
    public var errorDescription: String? {
        switch self {
        case .modelNotFound(let path, let reason): "The model file \(path) cannot be read: \(reason)."
        case .modelInvalid(let why, let at): "The model file is invalid at \(at): \(why)."
        case .unsupported(let what): "Not supported: \(what)."
        case .outOfMemory(let needed, 0): "\(needed) bytes of memory are needed, but not available."
        case .outOfMemory(let needed, let available):
            "\(needed) bytes of memory are needed, but only \(available) are available."
        case .storage(let path, let reason): "\(path) cannot be written: \(reason)."
        case .storeInvalid(let path, let why): "\(path) is not a personal store, or is damaged: \(why)."
        case .storeInUse(let path): "\(path) is open elsewhere."
        case .contextFull(let limit, let needed): "At least \(needed) tokens are needed, but the limit is \(limit)."
        case .invalidInput(let what): "The input cannot be used: \(what)."
        case .serverAnswer(let why): "The server's answer cannot be used: \(why)."
        case .cancelled: "The work was stopped."
        case .internal(let why): "Internal error in Sotto: \(why)."
        }
    }

    /// What the app or its user can do.
    public var recoverySuggestion: String? {
        switch self {
        case .modelNotFound: "Download the model, or check the path."
        case .modelInvalid: "Use another model file."
        case .unsupported: "Use another model."
        case .outOfMemory: "Ask for a shorter context, or use a smaller model."
        case .storage: "Free some space, or choose another folder."
        case .storeInvalid: "Import an exported copy into a new file, or delete this one and begin anew."
        case .storeInUse: "Close it there, or share one Personal."
        case .contextFull: "Shorten the text, or start a new session."
        case .invalidInput: "Change what was given."
        case .serverAnswer: "Try again, or use another server or model."
        case .cancelled: "Try again."
        case .internal: "Report it to Sotto's developers."
        }
    }
}

extension SottoError {
    init(_ error: FfiError) {
        self =
            switch error {
            case .ModelNotFound(let path, let reason): .modelNotFound(path: path, reason: reason)
            case .ModelInvalid(let why, let at): .modelInvalid(why: why, at: at)
            case .Unsupported(let what): .unsupported(what: what)
            case .OutOfMemory(let needed, let available):
                .outOfMemory(needed: Int(clamping: needed), available: Int(clamping: available))
            case .Storage(let path, let reason): .storage(path: path, reason: reason)
            case .StoreInvalid(let path, let why): .storeInvalid(path: path, why: why)
            case .StoreInUse(let path): .storeInUse(path: path)
            case .ContextFull(let limit, let needed):
                .contextFull(limit: Int(clamping: limit), needed: Int(clamping: needed))
            case .InvalidInput(let what): .invalidInput(what: what)
            case .ServerAnswer(let why): .serverAnswer(why: why)
            case .Cancelled: .cancelled
            case .Internal(let why): .internal(why: why)
            }
    }
}

extension UInt32 {
    /// A number that is at least `least`, for the native library; `what` names it.
    init(_ value: Int, atLeast least: Int, _ what: String) throws {
        guard value >= least else { throw SottoError.invalidInput(what: "\(what) must be at least \(least)") }
        self.init(clamping: value)
    }
}
