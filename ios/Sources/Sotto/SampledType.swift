import Foundation

/// A type whose schema is known, with a sample of it.
protocol SampledType {
    static var sample: Self { get }
    static func schema(_ probe: SchemaProbe) throws -> JSONSchema
}

extension String: SampledType {
    static var sample: String { "" }
    static func schema(_ probe: SchemaProbe) -> JSONSchema { .string }
}

extension Bool: SampledType {
    static var sample: Bool { false }
    static func schema(_ probe: SchemaProbe) -> JSONSchema { .boolean }
}

extension Date: SampledType {
    static var sample: Date { Date(timeIntervalSinceReferenceDate: 0) }
    static func schema(_ probe: SchemaProbe) -> JSONSchema { .dateTime }
}

extension Double: SampledType {}
extension Float: SampledType {}
extension Decimal: SampledType {}

extension SampledType where Self: Numeric {
    static var sample: Self { 0 }
    static func schema(_ probe: SchemaProbe) -> JSONSchema { .number }
}

extension Int: SampledType {}
extension Int8: SampledType {}
extension Int16: SampledType {}
extension Int32: SampledType {}
extension Int64: SampledType {}
extension UInt: SampledType {}
extension UInt8: SampledType {}
extension UInt16: SampledType {}
extension UInt32: SampledType {}
extension UInt64: SampledType {}

extension SampledType where Self: FixedWidthInteger {
    static func schema(_ probe: SchemaProbe) -> JSONSchema {
        // Larger integers are not exact in every JSON reader.
        let largestExact: Int64 = 1 << 53
        let range = Int64(clamping: Self.min)...Int64(clamping: Self.max)
        return .integer(range.clamped(to: -largestExact...largestExact))
    }
}

extension Optional: SampledType where Wrapped: Decodable {
    static var sample: Wrapped? { nil }
    static func schema(_ probe: SchemaProbe) throws -> JSONSchema { .nullable(try probe.answer(Wrapped.self).schema) }
}

extension Array: SampledType where Element: Decodable {
    static var sample: [Element] { [] }
    static func schema(_ probe: SchemaProbe) throws -> JSONSchema { .list(try probe.answer(Element.self).schema) }
}

extension Set: SampledType where Element: Decodable {
    static var sample: Set<Element> { [] }
    static func schema(_ probe: SchemaProbe) throws -> JSONSchema { .list(try probe.answer(Element.self).schema) }
}

extension Dictionary: SampledType where Key == String, Value: Decodable {
    static var sample: [String: Value] { [:] }
    static func schema(_ probe: SchemaProbe) throws -> JSONSchema { .map(try probe.answer(Value.self).schema) }
}
