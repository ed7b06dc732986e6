import Foundation
internal import SottoFFI

/// Everything that a call into Sotto can end with instead of a result.
///
/// Each says what an app can do about it; none carries the user's text, so that they can be logged. A cancelled task
/// gets Swift's own `CancellationError`, as everywhere.
public enum SottoError: Error, Hashable, Sendable {
    /// There is no readable model file at `path`; `reason` says why.
    case modelNotFound(path: String, reason: String)
    /// The file is not a model that can be trusted: unfinished, contradicting itself at `at`, or something else. Only where its
    /// size or a checksum shows that another download would help does `why` say so.
    case modelInvalid(why: String, at: String)
    /// `what` is missing in this version, or on this device, or is no language model.
    case unsupported(what: String)
    /// The device cannot spare `needed` bytes, but `available`; 0 where it does not say.
    case outOfMemory(needed: Int, available: Int)
    /// The file or folder `path` cannot be written; `reason` is the system's.
    case storage(path: String, reason: String)
    /// The text takes `needed` tokens of at most `limit`.
    case contextFull(limit: Int, needed: Int)
    /// An argument cannot be used: `what` is wrong with it.
    case invalidInput(what: String)
    /// The work was stopped by something other than the task that waited for it.
    case cancelled
    /// A fault of Sotto itself.
    case `internal`(why: String)
}

extension SottoError: LocalizedError {
    /// What happened.
    public var errorDescription: String? {
        switch self {
        case .modelNotFound(let path, let reason): "The model file \(path) cannot be read: \(reason)."
        case .modelInvalid(let why, let at): "The model file is invalid at \(at): \(why)."
        case .unsupported(let what): "Not supported: \(what)."
        case .outOfMemory(let needed, 0): "\(needed) bytes of memory are needed, not so many can be had."
        case .outOfMemory(let needed, let available): "\(needed) bytes of memory are needed, \(available) can be had."
        case .storage(let path, let reason): "\(path) cannot be written: \(reason)."
        case .contextFull(let limit, let needed): "At least \(needed) tokens are needed, the limit is \(limit)."
        case .invalidInput(let what): "The input cannot be used: \(what)."
        case .cancelled: "The work was stopped."
        case .internal(let why): "Sotto has a fault: \(why)."
        }
    }

    /// What an app, or the person who uses it, can do.
    public var recoverySuggestion: String? {
        switch self {
        case .modelNotFound: "Download the model, or check the path."
        case .modelInvalid: "Use another model file."
        case .unsupported: "Use another model."
        case .outOfMemory: "Ask for a shorter context, or use a smaller model."
        case .storage: "Free some space, or choose another folder."
        case .contextFull: "Shorten the text, or start a new session."
        case .invalidInput: "Change what was given."
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
            case .ContextFull(let limit, let needed):
                .contextFull(limit: Int(clamping: limit), needed: Int(clamping: needed))
            case .InvalidInput(let what): .invalidInput(what: what)
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
