internal import SottoFFI

/// A model's tokenizer without the model. It needs only the vocabulary of a model file, of any architecture.
///
/// A page of text takes about a millisecond. Tokenize a book off the main actor.
///
/// ```swift
/// let count = try await Tokenizer.load(.file(url)).tokenCount(draft)
/// ```
public final class Tokenizer: Sendable {
    private let ffi: FfiTokenizer

    private init(_ ffi: FfiTokenizer) {
        self.ffi = ffi
    }

    /// Loads the tokenizer of a model file.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func load(_ file: ModelFile) async throws -> Tokenizer {
        let job = try translated { try SottoFFI.loadTokenizer(file: file.ffi) }
        return try await Work(job, value: Tokenizer.init).value()
    }

    /// The token ids of a text. Text is never read as control tokens, whatever it contains, and none are added.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func encode(_ text: String) throws -> [Int] {
        try translated { try ffi.encode(text: text).map { Int($0) } }
    }

    /// The text of token ids. Control tokens and unknown ids produce no text.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func decode(_ ids: [Int]) throws -> String {
        try translated { try ffi.decode(ids: ids.map { UInt32(truncatingIfNeeded: $0) }) }
    }

    /// The number of tokens that ``encode(_:)`` returns for a text.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func tokenCount(_ text: String) throws -> Int {
        try translated { Int(try ffi.tokenCount(text: text)) }
    }

    /// A token in readable form: its text, or the name of a control token.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func tokenText(_ id: Int) throws -> String {
        try translated { try ffi.tokenText(id: UInt32(truncatingIfNeeded: id)) }
    }
}
