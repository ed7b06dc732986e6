import Foundation
internal import SottoFFI

/// Why a server of the app answered instead of the device.
public enum HandoverReason: String, CaseIterable, Codable, Hashable, Sendable {
    /// The text or the conversation is too long for the context.
    case contextTooLong
    /// The device's label was not sure enough.
    case lowConfidence
    /// The model is not there, or cannot be loaded on this device.
    case modelMissing
}

/// When a ``Fallback`` answers instead of the device.
public enum Whenever: Hashable, Sendable {
    /// The text or the conversation is too long for the context.
    case contextTooLong
    /// The label's confidence on the device is lower than this, 0 to 1.
    case lowConfidence(than: Double)
    /// The model is not there, or cannot be loaded on this device.
    case modelMissing
}

/// A server of the app that answers what the device cannot. **The user's text is then sent there**: tell the user, and ask. Nothing is sent
/// unless an app makes one of these and calls `withFallback`; each result says in ``Metrics/handedOver`` whether it was.
///
/// ```swift
/// let server = try ChatServer(url, apiKey: key)                     // of the product SottoFallback
/// let fallback = Fallback(server: server.send, model: "llama-3.3-70b", whenever: [.contextTooLong])
/// let assistant = model.withFallback(fallback)
/// ```
public struct Fallback: Sendable {
    /// Posts a JSON text to a server's `/v1/chat/completions`, and passes the bytes of the reply on as they arrive. It throws if there is
    /// none, or what `onBytes` throws. The SDK has no network code: `ChatServer` of the product `SottoFallback` does this.
    public typealias Server =
        @Sendable (_ body: String, _ onBytes: @escaping @Sendable (Data) throws -> Void) async throws -> Void

    /// The server.
    public var server: Server
    /// What the server calls its model.
    public var model: String
    /// When it answers.
    public var whenever: Set<Whenever>

    /// A server.
    public init(server: @escaping Server, model: String, whenever: Set<Whenever>) {
        self.server = server
        self.model = model
        self.whenever = whenever
    }

    /// Whether it is to find a label, as this one is not sure enough.
    func isFor(_ found: Classification) -> Bool {
        whenever.contains { if case .lowConfidence(let than) = $0 { found.confidence < than } else { false } }
    }

    /// Sends a call of the library, and reads the reply until it ends.
    func ask<Call: ServerCall>(
        _ call: Call, read: @escaping @Sendable (Call, Data) throws -> Void
    ) async throws -> Call.Value {
        do {
            try await server(try call.body()) { try read(call, $0) }
        } catch let error as FfiError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw ForeignError(error: error)
        }
        try Task.checkCancellation()
        return try call.value()
    }
}

/// A call of a server, as the native library words it.
protocol ServerCall: AnyObject, Sendable {
    associatedtype Value: Sendable

    func body() throws -> String
    /// What the whole reply means; given once.
    func value() throws -> Value
}

extension FfiServerClassify: ServerCall {}
extension FfiServerExtract: ServerCall {}
extension FfiServerSummarize: ServerCall {}
extension FfiServerChat: ServerCall {}

extension LocalModel {
    /// This model, and a server of the app for what it cannot do.
    public func withFallback(_ fallback: Fallback) -> Assistant {
        Assistant(fallback) { self }
    }
}

extension SharedModel {
    /// This model, loaded when it is first needed, and a server of the app for what it cannot do, or if it cannot be loaded.
    public func withFallback(_ fallback: Fallback) -> Assistant {
        Assistant(fallback) { try await self.model() }
    }
}

extension HandoverReason {
    init(_ ffi: FfiHandoverReason) {
        self =
            switch ffi {
            case .contextTooLong: .contextTooLong
            case .lowConfidence: .lowConfidence
            case .modelMissing: .modelMissing
            }
    }

    var ffi: FfiHandoverReason {
        switch self {
        case .contextTooLong: .contextTooLong
        case .lowConfidence: .lowConfidence
        case .modelMissing: .modelMissing
        }
    }
}
