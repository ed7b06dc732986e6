import Foundation

/// Why a server gives no answer. Each says what an app or its user can do. None has the user's text, the key, or words of the server. A
/// cancelled task throws Swift's own `CancellationError`, as usual.
public enum ServerError: Error, Hashable, Sendable {
    /// The address or the key cannot be used; `why` says why. Correct it.
    case invalidServer(why: String)
    /// The server cannot be reached, or the connection was lost; `why` says how. Try again later.
    case unreachable(why: String)
    /// The server answered with `status` in place of an answer: it wants another key (401, 403), has no such address or model (404), has
    /// too much to do (429), or has a fault (500 and above).
    case refused(status: Int)
}

extension ServerError: LocalizedError {
    /// What happened.
    public var errorDescription: String? {
        switch self {
        case .invalidServer(let why): "The fallback server cannot be used: \(why)."
        case .unreachable(let why): "The fallback server cannot be reached: \(why)."
        case .refused(let status): "The fallback server refuses the request (status \(status))."
        }
    }
}
