/// An enum whose cases have values, and that can be extracted.
///
/// ```swift
/// enum Contact: Decodable, SottoCases {
///     static let cases = ["phone", "email", "none"]
///     case phone(number: String), email(address: String), none
/// }
/// ```
/// ``LocalModel/extract(from:)`` lets the model choose one of the cases and write its values, in the form that Swift's own `Decodable` has
/// for such enums: `{"phone":{"number":"…"}}`. A value without a label is called `_0`, so a label tells the model more. If the enum is
/// ``SottoDescribed`` as well, its descriptions are those of the cases.
public protocol SottoCases: Decodable {
    /// The names of the cases among which the model chooses, as they are decoded.
    static var cases: [String] { get }
}
