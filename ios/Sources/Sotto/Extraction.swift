import Foundation

/// A value extracted from a text.
public struct Extraction<Value: Sendable>: Sendable {
    /// The value; it fits the schema.
    public var value: Value
    /// Time, tokens and memory it took.
    public var metrics: Metrics

    /// An extraction.
    public init(value: Value, metrics: Metrics) {
        self.value = value
        self.metrics = metrics
    }
}

extension JSONDecoder {
    /// Dates are as the schema has them, with or without fractions of a second.
    static var ofAnswers: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            let formatter = ISO8601DateFormatter()
            if text.contains(".") { formatter.formatOptions.insert(.withFractionalSeconds) }
            guard let date = formatter.date(from: text) else {
                let why = "no date with a time and zone"
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: why))
            }
            return date
        }
        return decoder
    }
}
