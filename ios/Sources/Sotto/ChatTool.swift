import Foundation
internal import SottoFFI

/// A function that the model may call in a conversation (``LocalModel/session(_:tools:)``).
///
/// ```swift
/// struct City: Decodable { var city: String }
///
/// let weather = ChatTool(name: "weather", description: "Tells today's weather in a city") { (arguments: City) in
///     try await forecast(arguments.city)
/// }
/// let chat = try await model.session("You plan trips.", tools: [weather])
/// ```
public struct ChatTool: Sendable {
    /// Letters, digits, `_` and `-`.
    public let name: String
    /// What the function does, and when the model should call it.
    public let description: String
    private let parameters: @Sendable () throws -> String
    private let handler: ToolHandler

    /// A tool with arguments of a `Decodable` type, which the model always fits; ``SottoDescribed`` tells it more about its properties.
    ///
    /// `handler` returns the text that the model is told. If it throws, the model is told the error's description instead. It is cancelled
    /// with the answer, and must not ask its own conversation. For types that no schema can describe, the session is refused.
    public init<Arguments: Decodable>(
        name: String,
        description: String,
        _ handler: @escaping @Sendable (Arguments) async throws -> String
    ) {
        self.name = name
        self.description = description
        parameters = { try JSONSchema(of: Arguments.self).json }
        self.handler = ToolHandler { json in try await handler(try decoded(Arguments.self, from: json)) }
    }

    func ffi() throws -> FfiTool {
        FfiTool(name: name, description: description, parameters: try parameters(), handler: handler)
    }
}

private final class ToolHandler: FfiToolHandler {
    private let handler: @Sendable (String) async throws -> String

    init(_ handler: @escaping @Sendable (String) async throws -> String) {
        self.handler = handler
    }

    func start(call: FfiToolCall) {
        let work = Task { [handler] in
            do {
                call.succeed(text: try await handler(call.arguments()))
            } catch {
                let described = (error as? any LocalizedError)?.errorDescription
                call.fail(why: described ?? String(describing: error))
            }
        }
        Task {
            await call.ended()
            work.cancel()
        }
    }
}

/// A call of a tool, and its result.
public struct ChatToolUse: Codable, Hashable, Sendable {
    /// What the model wrote before the call; mostly empty.
    public var text: String
    /// The tool's name.
    public var name: String
    /// The arguments, as JSON.
    public var arguments: String
    /// What the model was told: the tool's text, or `{"error": …}`.
    public var result: String

    /// A call.
    public init(text: String = "", name: String, arguments: String, result: String) {
        self.text = text
        self.name = name
        self.arguments = arguments
        self.result = result
    }

    init(_ ffi: FfiToolUse) {
        self.init(text: ffi.text, name: ffi.name, arguments: ffi.arguments, result: ffi.result)
    }

    var ffi: FfiToolUse {
        FfiToolUse(text: text, name: name, arguments: arguments, result: result)
    }
}
