/// A decoder that records what is decoded from it.
final class SchemaRecorder: Decoder {
    /// Why no schema describes the decoded type.
    struct Refusal: Error {
        let why: String
    }

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    private let probe: SchemaProbe
    private let fields: SchemaFields
    private let list: SchemaList
    private var shape: (() throws -> JSONSchema)?

    /// A decoder whose keyed container has `onlyKey`, or keys that are not known.
    init(probe: SchemaProbe, onlyKey: String? = nil) {
        self.probe = probe
        fields = SchemaFields(probe, onlyKey: onlyKey)
        list = SchemaList(probe)
    }

    func schema() throws -> JSONSchema {
        guard let shape else { throw Refusal(why: "it has no properties") }
        return try shape()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        shape = fields.schema
        return KeyedDecodingContainer(KeyedRecorder(fields: fields))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer {
        shape = list.schema
        return UnkeyedRecorder(list: list)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleValueRecorder(probe: probe) { [self] schema in shape = { schema } }
    }
}

/// The properties that were decoded.
private final class SchemaFields {
    let probe: SchemaProbe
    let onlyKey: String?
    var areFixed = true
    private var names: [String] = []
    private var schemas: [String: () throws -> JSONSchema] = [:]
    private var nullable: Set<String> = []

    init(_ probe: SchemaProbe, onlyKey: String? = nil) {
        self.probe = probe
        self.onlyKey = onlyKey
    }

    func add(_ name: String, _ schema: @escaping () throws -> JSONSchema) {
        guard schemas.updateValue(schema, forKey: name) == nil else { return }
        names.append(name)
    }

    func mayBeNull(_ name: String) {
        nullable.insert(name)
    }

    func schema() throws -> JSONSchema {
        guard areFixed else {
            throw SchemaRecorder.Refusal(why: "its properties are not fixed; an enum with values has to be SottoCases")
        }
        return .object(
            try names.compactMap { name in
                guard let schema = try schemas[name]?() else { return nil }
                return JSONSchema.Property(name: name, schema: nullable.contains(name) ? .nullable(schema) : schema)
            }
        )
    }
}

/// The elements that were decoded.
private final class SchemaList {
    let probe: SchemaProbe
    var elements: [JSONSchema] = []
    var endIsKnown = false

    init(_ probe: SchemaProbe) {
        self.probe = probe
    }

    func schema() throws -> JSONSchema {
        guard let element = elements.first, elements.count == 1, endIsKnown else {
            throw SchemaRecorder.Refusal(why: "its list is not one of any length")
        }
        return .list(element)
    }
}

private struct KeyedRecorder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: SchemaFields
    let codingPath: [any CodingKey] = []

    var allKeys: [Key] {
        if let onlyKey = fields.onlyKey { return Key(stringValue: onlyKey).map { [$0] } ?? [] }
        fields.areFixed = false
        return []
    }

    func contains(_ key: Key) -> Bool { true }

    func decodeNil(forKey key: Key) -> Bool {
        fields.mayBeNull(key.stringValue)
        return false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let (schema, sample) = try fields.probe.answer(type)
        fields.add(key.stringValue) { schema }
        return sample
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedDecodingContainer<Nested> {
        let nested = SchemaFields(fields.probe)
        fields.add(key.stringValue, nested.schema)
        return KeyedDecodingContainer(KeyedRecorder<Nested>(fields: nested))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer {
        let nested = SchemaList(fields.probe)
        fields.add(key.stringValue, nested.schema)
        return UnkeyedRecorder(list: nested)
    }

    func superDecoder() throws -> any Decoder { throw inheritance }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw inheritance }
}

private struct UnkeyedRecorder: UnkeyedDecodingContainer {
    let list: SchemaList
    let codingPath: [any CodingKey] = []
    let count: Int? = nil
    var currentIndex: Int { list.elements.count }

    var isAtEnd: Bool {
        list.endIsKnown = true
        return !list.elements.isEmpty
    }

    func decodeNil() -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let (schema, sample) = try list.probe.answer(type)
        list.elements.append(schema)
        return sample
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        throw SchemaRecorder.Refusal(why: "its list has elements without a type")
    }

    func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw SchemaRecorder.Refusal(why: "its list has elements without a type")
    }

    func superDecoder() throws -> any Decoder { throw inheritance }
}

private struct SingleValueRecorder: SingleValueDecodingContainer {
    let probe: SchemaProbe
    let record: (JSONSchema) -> Void
    let codingPath: [any CodingKey] = []

    init(probe: SchemaProbe, record: @escaping (JSONSchema) -> Void) {
        self.probe = probe
        self.record = record
    }

    func decodeNil() -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let (schema, sample) = try probe.answer(type)
        record(schema)
        return sample
    }
}

private let inheritance = SchemaRecorder.Refusal(why: "it has a superclass that is decoded on its own")
