import Foundation

// The schema of a `Decodable` type is found by decoding the type from a decoder that records every request and returns
// samples.

extension JSONSchema {
    /// The schema of a type.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for types that no schema can describe: recursive types, enums that are
    ///   neither `CaseIterable` with raw values nor ``SottoCases``, dictionaries whose keys are not strings, types that
    ///   reject the samples, and descriptions of properties that a type does not have.
    init<T: Decodable>(of type: T.Type) throws {
        self = try SchemaProbe().answer(type).schema
    }
}

/// Goes through a type and the types of its properties.
final class SchemaProbe {
    private var within: [any Any.Type] = []

    /// The schema of a type, and a sample value with which decoding can continue.
    func answer<T: Decodable>(_ type: T.Type) throws -> (schema: JSONSchema, sample: T) {
        if let known = type as? any SampledType.Type, let sample = known.sample as? T {
            return (try known.schema(self), sample)
        }
        if let enumeration = type as? any CaseIterable.Type {
            return try oneOf(enumeration, as: type)
        }
        // JSONDecoder decodes these types in special ways.
        guard ![Data.self, URL.self].contains(where: { $0 == type }) else {
            throw unsupported(type, "take a String")
        }
        guard !within.contains(where: { $0 == type }) else { throw unsupported(type, "it contains itself") }
        within.append(type)
        defer { within.removeLast() }
        if let enumeration = type as? any SottoCases.Type {
            return try cases(enumeration.cases, of: type)
        }
        return try probe(type)
    }

    private func probe<T: Decodable>(_ type: T.Type) throws -> (schema: JSONSchema, sample: T) {
        let recorder = SchemaRecorder(probe: self)
        do {
            let sample = try T(from: recorder)
            return (try recorder.schema().described(as: type), sample)
        } catch let error as SottoError {
            throw error
        } catch let refusal as SchemaRecorder.Refusal {
            throw unsupported(type, refusal.why)
        } catch {
            let isEnumeration = type is any RawRepresentable.Type
            throw unsupported(type, isEnumeration ? "it has to be CaseIterable" : "it cannot be decoded from samples")
        }
    }

    private func cases<T: Decodable>(_ names: [String], of type: T.Type) throws -> (schema: JSONSchema, sample: T) {
        let cases = try names.map { try probe($0, of: type) }
        guard let first = cases.first else { throw unsupported(type, "it names no cases") }
        return (try JSONSchema.cases(cases.map(\.property)).described(as: type), first.sample)
    }

    private func probe<T: Decodable>(
        _ name: String, of type: T.Type
    ) throws -> (property: JSONSchema.Property, sample: T) {
        let recorder = SchemaRecorder(probe: self, onlyKey: name)
        do {
            let sample = try T(from: recorder)
            guard case .object(let properties) = try recorder.schema(), let property = properties.first,
                properties.count == 1
            else { throw SchemaRecorder.Refusal(why: "its case \(name) is not decoded as Swift does it") }
            return (property, sample)
        } catch let error as SottoError {
            throw error
        } catch let refusal as SchemaRecorder.Refusal {
            throw unsupported(type, refusal.why)
        } catch {
            throw unsupported(type, "it has no case \(name) that can be decoded from samples")
        }
    }

    private func oneOf<T, Enumeration: CaseIterable>(
        _ enumeration: Enumeration.Type,
        as type: T.Type
    ) throws -> (schema: JSONSchema, sample: T) {
        let cases = Array(enumeration.allCases)
        let values = cases.compactMap { ($0 as? any RawRepresentable).flatMap { JSONScalar($0.rawValue) } }
        guard values.count == cases.count, let sample = cases.first as? T else {
            throw unsupported(type, "an enumeration needs raw values that are strings or integers")
        }
        return (.oneOf(values), sample)
    }
}

extension JSONSchema {
    /// This schema of `type`, with the type's own descriptions.
    fileprivate func described(as type: any Any.Type) throws -> JSONSchema {
        guard let type = type as? any SottoDescribed.Type else { return self }
        return switch self {
        case .object(let properties): .object(try properties.described(as: type))
        case .cases(let cases): .cases(try cases.described(as: type))
        default: self
        }
    }
}

extension [JSONSchema.Property] {
    fileprivate func described(as type: any SottoDescribed.Type) throws -> Self {
        var properties = self
        for (name, description) in type.descriptions {
            guard let index = properties.firstIndex(where: { $0.name == name }) else {
                throw unsupported(type, "it describes \(name), which it does not decode")
            }
            properties[index].description = description
        }
        return properties
    }
}

private func unsupported(_ type: any Any.Type, _ why: String) -> SottoError {
    .invalidInput(what: "a value of \(type) cannot be extracted: \(why)")
}
