import Foundation
import Testing

@testable import Sotto

extension AllTests {
    @Suite struct JSONSchemaTests {
        private func expectSchema<T: Decodable>(of type: T.Type, _ expected: String) throws {
            #expect(try JSONSchema(of: type).json == expected.filter { !$0.isNewline && $0 != " " })
        }

        enum Level: String, Codable, CaseIterable {
            case low
            case high = "very-high"
        }

        enum Rank: Int, Codable, CaseIterable { case first = 1, second }

        struct Name: Codable, RawRepresentable { let rawValue: String }

        struct Inner: Codable {
            let name: Name
            let size: UInt8?
        }

        struct Outer: Codable {
            enum CodingKeys: String, CodingKey {
                case text
                case isNew = "is_new"
                case level, rank, inner, list, scores, tags
            }

            let text: String
            let isNew: Bool
            let level: Level
            let rank: Rank
            let inner: Inner
            let list: [Inner?]
            let scores: [String: Double]
            let tags: Set<String>?
        }

        @Test func aTypeWithEverything() throws {
            let inner = """
                {"type":"object","properties":{
                    "name":{"type":"string"},
                    "size":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}]}
                },"required":["name","size"],"additionalProperties":false}
                """
            try expectSchema(
                of: Outer.self,
                """
                {"type":"object","properties":{
                    "text":{"type":"string"},
                    "is_new":{"type":"boolean"},
                    "level":{"enum":["low","very-high"]},
                    "rank":{"enum":[1,2]},
                    "inner":\(inner),
                    "list":{"type":"array","items":{"anyOf":[\(inner),{"type":"null"}]}},
                    "scores":{"type":"object","additionalProperties":{"type":"number"}},
                    "tags":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}
                },"required":["text","is_new","level","rank","inner","list","scores","tags"],"additionalProperties":false}
                """
            )
        }

        @Test func numbersHaveTheRangesOfTheirTypes() throws {
            try expectSchema(of: Int8.self, #"{"type":"integer","minimum":-128,"maximum":127}"#)
            try expectSchema(
                of: Int.self, #"{"type":"integer","minimum":-9007199254740992,"maximum":9007199254740992}"#)
            try expectSchema(of: UInt64.self, #"{"type":"integer","minimum":0,"maximum":9007199254740992}"#)
            try expectSchema(of: UInt32.self, #"{"type":"integer","minimum":0,"maximum":4294967295}"#)
            try expectSchema(of: Float.self, #"{"type":"number"}"#)
            try expectSchema(of: Decimal.self, #"{"type":"number"}"#)
        }

        /// Reads what lies deeper, in ways of its own.
        struct Written: Decodable {
            enum Keys: String, CodingKey { case outer, inner, names, count }

            let inner: String
            let names: [String]
            let count: Int

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                let outer = try container.nestedContainer(keyedBy: Keys.self, forKey: .outer)
                inner = try outer.decode(String.self, forKey: .inner)
                var list = try container.nestedUnkeyedContainer(forKey: .names)
                var names: [String] = []
                while !list.isAtEnd { names.append(try list.decode(String.self)) }
                self.names = names
                count = try container.decodeIfPresent(Int.self, forKey: .count) ?? 1
            }
        }

        @Test func anInitializerOfItsOwnIsUnderstood() throws {
            try expectSchema(
                of: Written.self,
                """
                {"type":"object","properties":{
                    "outer":{"type":"object","properties":{"inner":{"type":"string"}},
                        "required":["inner"],"additionalProperties":false},
                    "names":{"type":"array","items":{"type":"string"}},
                    "count":{"anyOf":[{"type":"integer","minimum":-9007199254740992,"maximum":9007199254740992},
                        {"type":"null"}]}
                },"required":["outer","names","count"],"additionalProperties":false}
                """
            )
        }

        struct Errand: Decodable, SottoDescribed {
            static let descriptions = ["due": "when, \"as said\"", "task": "what has to be done"]
            let task: String
            let due: Date?
        }

        @Test func descriptionsAndDates() throws {
            let json = try JSONSchema(of: [Errand].self).json
            let task = #""task":{"type":"string","description":"what has to be done"}"#
            let date = #"{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}],"#
            let due = #""due":\#(date)"description":"when, \"as said\""}"#
            let required = #""required":["task","due"],"additionalProperties":false"#
            #expect(json == #"{"type":"array","items":{"type":"object","properties":{\#(task),\#(due)},\#(required)}}"#)
        }

        @Test(arguments: ["2024-02-29T10:30:00Z": 0, "2024-02-29T12:30:00.25+02:00": 0.25])
        func aDateIsReadAsTheModelWritesIt(text: String, fraction: Double) throws {
            let date = try JSONDecoder.ofAnswers.decode([Date].self, from: Data("[\"\(text)\"]".utf8))[0]
            #expect(abs(date.timeIntervalSince1970 - 1_709_202_600 - fraction) < 1e-3)
        }

        enum Contact: Decodable, SottoCases, SottoDescribed {
            static let cases = ["phone", "email", "person", "none"]
            static let descriptions = ["phone": "a number to call"]
            case phone(number: String, extension: UInt8?), email(String), person(Inner), none, unwanted
        }

        @Test func anEnumWithValuesIsOneOfItsCases() throws {
            func oneKey(_ name: String, _ values: String, _ required: String, description: String = "") -> String {
                let object = #"{"type":"object","properties":{\#(values)},"required":[\#(required)],"#
                let value = #"\#(object)"additionalProperties":false\#(description)}"#
                let fields = #""properties":{"\#(name)":\#(value)},"required":["\#(name)"],"#
                return #"{"type":"object",\#(fields)"additionalProperties":false}"#
            }
            let size = #"{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}]}"#
            let number = #""number":{"type":"string"},"extension":\#(size)"#
            let person = try JSONSchema(of: Inner.self).json
            let cases = [
                oneKey("phone", number, #""number","extension""#, description: #","description":"a number to call""#),
                oneKey("email", #""_0":{"type":"string"}"#, #""_0""#),
                oneKey("person", #""_0":\#(person)"#, #""_0""#),
                oneKey("none", "", ""),
            ]
            let contact = #"{"anyOf":[\#(cases.joined(separator: ","))]}"#
            #expect(try JSONSchema(of: Contact.self).json == contact)
            #expect(try JSONSchema(of: [Contact].self).json == #"{"type":"array","items":\#(contact)}"#)
        }

        struct Reachable: Decodable {
            enum Way: Decodable, SottoCases {
                static let cases = ["phone", "visit", "none"]
                case phone(digits: UInt8), visit(Level, at: Date), none
            }
            let way: Way
        }

        @Test func aModelWritesOneOfTheCases() async throws {
            let model = try await wide(LoadOptions(cacheFolder: nil, contextLength: 2048))
            for attempt in 0..<5 {
                let _: Reachable = try await model.extract(from: "attempt \(attempt)")
                let _: Reachable.Way = try await model.extract(from: "attempt \(attempt)")
            }
        }

        enum Mail: String, CaseIterable, SottoDescribed {
            static let descriptions = ["urgent": "somebody must act at once"]
            case urgent, later
        }
        enum Typo: String, CaseIterable, SottoDescribed {
            static let descriptions = ["urgnet": "somebody must act at once"]
            case urgent, later
        }

        @Test func casesHaveDescriptionsAsLabels() throws {
            let labels = try Classification.labels(of: Mail.self)
            #expect(labels == [.init("urgent", description: "somebody must act at once"), .init("later")])
            #expect(throws: SottoError.self) { try Classification.labels(of: Typo.self) }
        }

        @Test func namesAreQuoted() throws {
            let text = "say \"hi\"\n\\ 🎉"
            let schema = JSONSchema.oneOf([.string(text)])
            struct Written: Decodable, Equatable { let `enum`: [String] }
            #expect(try JSONDecoder().decode(Written.self, from: Data(schema.json.utf8)) == Written(enum: [text]))
        }

        struct Tree: Decodable { let children: [Tree] }
        final class Chain: Decodable { let next: Chain? }
        enum Unlisted: String, Decodable { case one }
        enum Unnamed: CaseIterable, Decodable { case one }
        enum Event: Decodable { case call(to: String), pause }
        enum Caseless: Decodable, SottoCases {
            static let cases: [String] = []
            case call(to: String)
        }
        enum Misnamed: Decodable, SottoCases {
            static let cases = ["call", "cal"]
            case call(to: String)
        }
        enum Nested: Decodable, SottoCases {
            static let cases = ["leaf", "node"]
            case leaf
            indirect case node(Nested)
        }
        enum Flat: Decodable, SottoCases {
            static let cases = ["call"]
            case call(String)
            enum Keys: String, CodingKey { case kind, to }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                _ = try container.decode(String.self, forKey: .kind)
                self = .call(try container.decode(String.self, forKey: .to))
            }
        }
        struct Empty: Decodable {}
        struct Misdescribed: Decodable, SottoDescribed {
            static let descriptions = ["nmae": "what it is called"]
            let name: String
        }
        struct Choosy: Decodable {
            init(from decoder: any Decoder) throws {
                let text = try decoder.singleValueContainer().decode(String.self)
                guard text == "open sesame" else { throw CocoaError(.coderReadCorrupt) }
            }
        }
        struct Pair: Decodable {
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                _ = (try list.decode(Int.self), try list.decode(String.self))
            }
        }
        class Base: Decodable { let id: Int }
        final class Derived: Base {
            required init(from decoder: any Decoder) throws {
                try super.init(from: try decoder.container(keyedBy: Keys.self).superDecoder(forKey: .base))
            }
            enum Keys: CodingKey { case base }
        }

        @Test func typesThatNoSchemaDescribesAreRefusedByName() throws {
            let types: [any Decodable.Type] = [
                Tree.self, Chain.self, Unlisted.self, Unnamed.self, Event.self, Caseless.self,
                Misnamed.self, Nested.self, Flat.self, Empty.self, Misdescribed.self,
                Choosy.self,
                Pair.self, Derived.self, [Int: String].self, [Level: Int].self, Data.self, URL.self,
            ]
            for type in types {
                do {
                    Issue.record("\(type) has the schema \(try JSONSchema(of: type).json)")
                } catch SottoError.invalidInput(let what) {
                    #expect(what.hasPrefix("a value of \(type) cannot be extracted: "))
                }
            }
        }

        struct Bounded: Decodable {
            let level: Level
            let rank: Rank
            let size: UInt8?
            let delta: Int8
            let sure: Bool
            let time: Date
        }

        @Test func whatComesBackDecodesWhateverTheModelKnows() async throws {
            let model = try await wide(LoadOptions(cacheFolder: nil, contextLength: 2048))
            for attempt in 0..<5 {
                let _: Bounded = try await model.extract(from: "attempt \(attempt)")
            }
        }

        struct Fussy: Decodable {
            let level: Level
            init(from decoder: any Decoder) throws {
                level = try decoder.singleValueContainer().decode(Level.self)
                guard decoder is SchemaRecorder else { throw CocoaError(.coderReadCorrupt) }
            }
        }

        @Test func aTypeThatRefusesTheValueSaysSo() async throws {
            let model = try await demo()
            await #expect(throws: SottoError.invalidInput(what: "Fussy refuses the value that was read")) {
                _ = try await model.extract(Fussy.self, from: "now")
            }
        }
    }
}
