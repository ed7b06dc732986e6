import Foundation

/// Why a model cannot be had. Each says what an app or its user can do. No message has a token, or the query of an
/// address. A cancelled task throws Swift's own `CancellationError`, as usual.
public enum StoreError: Error, Hashable, Sendable {
    /// What was asked for cannot name a model; `why` says why.
    case invalidSource(why: String)
    /// The server has no `name`. Correct the address.
    case notFound(name: String)
    /// The server answered with `status` to the request for `name`: it wants a login that the store does not have.
    case denied(name: String, status: Int)
    /// The server of `name` cannot be reached, or gave up too often. What was received is kept. Try later.
    case network(name: String, why: String)
    /// What the server has is not `name` as the app knows it. Correct the source, or the server.
    case mismatch(name: String, why: String)
    /// The download needs `needed` bytes more, but only `free` are free. Ask the user to free some space.
    case noSpace(needed: Int, free: Int)
    /// The network is metered, and `bytes` are still missing. Ask the user, or wait for another network.
    case metered(bytes: Int)
    /// Another download of `name` is at work. Wait for it.
    case inUse(name: String)
    /// A file in the store's folder cannot be written; `reason` is the system's message.
    case storage(reason: String)
}

extension StoreError: LocalizedError {
    /// What happened.
    public var errorDescription: String? {
        switch self {
        case .invalidSource(let why): why
        case .notFound(let name): "The server has no \(name)."
        case .denied(let name, let status): "The server does not give \(name) away (status \(status))."
        case .network(let name, let why): "\(name) could not be downloaded: \(why)."
        case .mismatch(let name, let why): "\(name) is not the expected file: \(why)."
        case .noSpace(let needed, let free): "\(needed) bytes more are needed, but only \(free) are free."
        case .metered(let bytes): "The network is metered, and \(bytes) bytes are missing."
        case .inUse(let name): "\(name) is being downloaded already."
        case .storage(let reason): "The store's folder cannot be written: \(reason)"
        }
    }
}

/// Turns errors of the file system into the store's.
func storing<T>(_ body: () throws -> T) throws -> T {
    do {
        return try body()
    } catch let error as StoreError {
        throw error
    } catch {
        throw StoreError.storage(reason: error.localizedDescription)
    }
}
