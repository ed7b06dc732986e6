import Foundation

/// What a value must look like; ``json`` writes it as a JSON schema.
indirect enum JSONSchema: Equatable {
    case string
    case dateTime
    case boolean
    case number
    case integer(ClosedRange<Int64>)
    case oneOf([JSONScalar])
    case list(JSONSchema)
    case map(JSONSchema)
    case object([Property])
    /// An object with one of these properties, and no other.
    case cases([Property])
    case nullable(JSONSchema)

    struct Property: Equatable {
        var name: String
        var schema: JSONSchema
        var description: String?

        /// The schema as JSON, with the description.
        var json: String {
            guard let description else { return schema.json }
            return "\(schema.json.dropLast()),\"description\":\(quoted(description))}"
        }
    }

    /// In the order of the properties, in which the model writes them.
    var json: String {
        switch self {
        case .string: #"{"type":"string"}"#
        case .dateTime: #"{"type":"string","format":"date-time"}"#
        case .boolean: #"{"type":"boolean"}"#
        case .number: #"{"type":"number"}"#
        case .integer(let range):
            #"{"type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#
        case .oneOf(let values): #"{"enum":[\#(values.map(\.json).joined(separator: ","))]}"#
        case .list(let element): #"{"type":"array","items":\#(element.json)}"#
        case .map(let element): #"{"type":"object","additionalProperties":\#(element.json)}"#
        case .object(let properties): Self.object(properties)
        case .cases(let cases): #"{"anyOf":[\#(cases.map { Self.object([$0]) }.joined(separator: ","))]}"#
        case .nullable(let schema): #"{"anyOf":[\#(schema.json),{"type":"null"}]}"#
        }
    }

    private static func object(_ properties: [Property]) -> String {
        let names = properties.map { JSONScalar.string($0.name).json }
        let fields = zip(names, properties).map { "\($0):\($1.json)" }.joined(separator: ",")
        let required = names.joined(separator: ",")
        return #"{"type":"object","properties":{\#(fields)},"required":[\#(required)],"additionalProperties":false}"#
    }
}

/// A raw value of an enum.
enum JSONScalar: Equatable {
    case string(String)
    case integer(Int64)

    init?(_ value: Any) {
        if let text = value as? String {
            self = .string(text)
        } else if let integer = value as? any BinaryInteger, let number = Int64(exactly: integer) {
            self = .integer(number)
        } else {
            return nil
        }
    }

    var json: String {
        switch self {
        case .string(let text): quoted(text)
        case .integer(let number): String(number)
        }
    }
}

private func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": json += "\\\(scalar)"
        case "\u{0}"..."\u{1f}": json += String(format: "\\u%04x", scalar.value)
        default: json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}
