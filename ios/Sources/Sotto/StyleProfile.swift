internal import SottoFFI

/// How somebody writes, for a person to read and edit and for a model to follow. What is `nil` is not known or no habit.
public struct StyleProfile: Codable, Hashable, Sendable {
    /// Where somebody puts capital letters.
    public enum Capitals: String, CaseIterable, Codable, Hashable, Sendable {
        /// At the beginning of sentences.
        case sentences
        /// Nowhere, or in names at most.
        case never
        /// Everywhere.
        case always
    }

    /// How messages begin. `{name}` stands for the name of whoever gets them.
    public var greeting: String?
    /// How messages end.
    public var signOff: String?
    /// Words of a sentence, on average.
    public var sentenceWords: Int?
    /// Where capital letters are.
    public var capitals: Capitals?
    /// The most frequent emoji and emoticons; empty if none are used.
    public var emoji: [String]?
    /// Words that often stand on their own, between punctuation marks; the most frequent first.
    public var phrases: [String]

    /// A profile.
    public init(
        greeting: String? = nil,
        signOff: String? = nil,
        sentenceWords: Int? = nil,
        capitals: Capitals? = nil,
        emoji: [String]? = nil,
        phrases: [String] = []
    ) {
        self.greeting = greeting
        self.signOff = signOff
        self.sentenceWords = sentenceWords
        self.capitals = capitals
        self.emoji = emoji
        self.phrases = phrases
    }

    /// The style of some texts of one writer. No model is used. From fewer than three, hardly anything can be told.
    public static func of(_ texts: [String]) -> StyleProfile {
        StyleProfile(styleOf(texts: texts))
    }

    /// A sentence that tells a model to write like that, for the instructions of a session; `nil` if nothing is known.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for sentences with fewer than 0 words.
    public func instruction() throws -> String? {
        styleInstruction(style: try ffi())
    }

    func ffi() throws -> FfiStyleProfile {
        FfiStyleProfile(
            greeting: greeting,
            signOff: signOff,
            sentenceWords: try sentenceWords.map { try UInt32($0, atLeast: 0, "the words of a sentence") },
            capitals: capitals?.ffi,
            emoji: emoji,
            phrases: phrases
        )
    }

    init(_ ffi: FfiStyleProfile) {
        self.init(
            greeting: ffi.greeting,
            signOff: ffi.signOff,
            sentenceWords: ffi.sentenceWords.map(Int.init),
            capitals: ffi.capitals.map(Capitals.init),
            emoji: ffi.emoji,
            phrases: ffi.phrases
        )
    }
}

extension StyleProfile.Capitals {
    fileprivate var ffi: FfiCapitals {
        switch self {
        case .sentences: .sentences
        case .never: .never
        case .always: .always
        }
    }

    fileprivate init(_ ffi: FfiCapitals) {
        switch ffi {
        case .sentences: self = .sentences
        case .never: self = .never
        case .always: self = .always
        }
    }
}
