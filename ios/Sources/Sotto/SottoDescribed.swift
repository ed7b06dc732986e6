/// A type that tells a model more about its parts than their names.
///
/// ```swift
/// struct Errand: Decodable, SottoDescribed {
///     static let descriptions = ["due": "when it has to be done, as it was said"]
///     let task: String
///     let due: String?
/// }
/// ```
/// ``LocalModel/extract(from:)`` reads the descriptions of properties, ``LocalModel/classify(_:into:minConfidence:)-3kwi8`` those of
/// an enum's cases. A tuned model, such as the demo model, reads only the names of properties.
public protocol SottoDescribed {
    /// A few words, without line breaks, for some of the properties (by the name that they are decoded by) or cases (by
    /// their raw value, or by the name that ``SottoCases`` has for them).
    static var descriptions: [String: String] { get }
}
