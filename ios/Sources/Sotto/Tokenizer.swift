internal import SottoFFI

/// A model's tokenizer without the model: it needs no more than the vocabulary of a model file, of whatever
/// architecture.
///
/// A page of text takes a millisecond or so; a book is better tokenized away from the main actor.
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

    /// The token ids of a text. Control tokens are never read from it, whatever it contains, and none is added.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func encode(_ text: String) throws -> [Int] {
        try translated { try ffi.encode(text: text).map { Int($0) } }
    }

    /// The text of token ids. Control tokens, and ids that no token has, give none.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func decode(_ ids: [Int]) throws -> String {
        try translated { try ffi.decode(ids: ids.map { UInt32(truncatingIfNeeded: $0) }) }
    }

    /// How many tokens a text has, as ``encode(_:)`` gives them.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func tokenCount(_ text: String) throws -> Int {
        try translated { Int(try ffi.tokenCount(text: text)) }
    }

    /// A token as a person may read it: its text, or the name of a control token.
    ///
    /// - Throws: ``SottoError/internal(why:)`` if the tokenizer fails.
    public func tokenText(_ id: Int) throws -> String {
        try translated { try ffi.tokenText(id: UInt32(truncatingIfNeeded: id)) }
    }
}
