internal import SottoFFI

/// How the next token is chosen.
public struct Sampling: Hashable, Sendable {
    /// 0 always chooses the most probable token; higher values vary more.
    public var temperature: Float
    /// If given, only this many of the most probable tokens.
    public var topK: Int?
    /// If given, only the most probable tokens whose probabilities add up to this; above 0, at most 1.
    public var topP: Float?
    /// If given, only tokens with at least this share of the highest probability; 0 to 1.
    public var minP: Float?
    /// Makes recent tokens less probable; 1 changes nothing.
    public var repetitionPenalty: Float
    /// How many of the last tokens count as recent.
    public var repetitionWindow: Int
    /// The same seed, options and conversation give the same answer.
    public var seed: UInt64

    /// The default settings, except for those given.
    public init(
        temperature: Float = 0.7,
        topK: Int? = nil,
        topP: Float? = 0.9,
        minP: Float? = 0.05,
        repetitionPenalty: Float = 1,
        repetitionWindow: Int = 64,
        seed: UInt64 = 0
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.repetitionWindow = repetitionWindow
        self.seed = seed
    }

    /// Always the most probable token: the same conversation gives the same answer.
    public static let greedy = Sampling(temperature: 0, topP: nil, minP: nil)

    func ffi() throws -> FfiSampling {
        FfiSampling(
            temperature: temperature,
            topK: try topK.map { try UInt32($0, atLeast: 1, "topK") },
            topP: topP,
            minP: minP,
            repetitionPenalty: repetitionPenalty,
            repetitionWindow: try UInt32(repetitionWindow, atLeast: 0, "the repetition window"),
            seed: seed
        )
    }
}

/// A constraint on an answer, enforced token by token.
public enum AnswerFormat: Hashable, Sendable {
    /// One JSON value that fits the schema, which is also JSON.
    case jsonSchema(String)
    /// Exactly one of these texts.
    case choice([String])
    /// A match of this regular expression.
    case regex(String)
    /// A sentence of this grammar, in llguidance's dialect of Lark, beginning with the rule `start`.
    case lark(String)

    var isJSONSchema: Bool { if case .jsonSchema = self { true } else { false } }

    var ffi: FfiFormat {
        switch self {
        case .jsonSchema(let schema): .jsonSchema(schema: schema)
        case .choice(let choices): .choice(choices: choices)
        case .regex(let regex): .regex(regex: regex)
        case .lark(let grammar): .lark(grammar: grammar)
        }
    }
}

/// How a session answers.
public struct ChatOptions: Hashable, Sendable {
    /// The maximum number of tokens in an answer.
    public var maxTokens: Int
    /// How the next token is chosen.
    public var sampling: Sampling
    /// A constraint on the answer, if any.
    public var format: AnswerFormat?

    /// The default options, except for those given.
    public init(maxTokens: Int = 512, sampling: Sampling = Sampling(), format: AnswerFormat? = nil) {
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.format = format
    }

    func ffi() throws -> FfiChatOptions {
        FfiChatOptions(
            sampling: try sampling.ffi(),
            maxTokens: try UInt32(maxTokens, atLeast: 1, "the most tokens of an answer"),
            format: format?.ffi
        )
    }
}
