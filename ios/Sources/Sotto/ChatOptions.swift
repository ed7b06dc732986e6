internal import SottoFFI

/// How tokens are chosen.
public struct Sampling: Hashable, Sendable {
    /// 0 always takes the best token; higher values vary more.
    public var temperature: Float
    /// Only the so many best tokens, if given.
    public var topK: Int?
    /// Only the fewest best tokens whose probabilities reach this sum, if given; above 0, at most 1.
    public var topP: Float?
    /// Only tokens at least this times as likely as the best, if given; 0 to 1.
    public var minP: Float?
    /// Makes tokens of the recent history less likely; 1 changes nothing.
    public var repetitionPenalty: Float
    /// How many of the last tokens count as recent.
    public var repetitionWindow: Int
    /// The same seed, options and conversation give the same answer.
    public var seed: UInt64

    /// The usual way to choose, but for what is given.
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

    /// Always the best token: the same conversation gives the same answer.
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

/// What an answer is held to, token by token.
public enum AnswerFormat: Hashable, Sendable {
    /// One JSON value that fits the schema, which is JSON too.
    case jsonSchema(String)
    /// Exactly one of these texts.
    case choice([String])
    /// A match of this regular expression.
    case regex(String)
    /// A sentence of this grammar, in llguidance's dialect of Lark; the rule `start` is where it starts.
    case lark(String)

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
    /// The most tokens of one answer.
    public var maxTokens: Int
    /// How tokens are chosen.
    public var sampling: Sampling
    /// What the answer is held to, if anything.
    public var format: AnswerFormat?

    /// The usual options, but for those given.
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
