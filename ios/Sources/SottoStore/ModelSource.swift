import Foundation

/// A model on a server.
public struct ModelSource: Hashable, Sendable {
    /// Its web address. It begins with `https`; `http` is only for servers on the device itself.
    public let url: URL
    /// The SHA-256 that it must have, in 64 hexadecimal digits.
    public let sha256: String
    /// Its size.
    public let bytes: Int
    /// The text or the name of its licence, for the app to show; the store keeps it with the model.
    public let license: String?

    /// Where it lies, from the store's folder: the server, then the address's path.
    let place: [String]

    /// A model on a server. Throws ``StoreError/invalidSource(why:)`` for an address or a SHA-256 that cannot be one.
    public init(url: URL, sha256: String, bytes: Int, license: String? = nil) throws {
        (self.url, self.sha256, self.bytes, self.license) = (url, sha256.lowercased(), bytes, license)
        place = try placeOf(url)
        try require(url.isPrivate, "over http, anybody can read along: use https")
        let isDigest = self.sha256.utf8.count == 64 && self.sha256.allSatisfy { $0.isASCII && $0.isHexDigit }
        try require(isDigest, "a SHA-256 has 64 hexadecimal digits")
        try require(bytes > 0, "a model has at least one byte")
    }

    /// Its address without what may be secret.
    var address: String {
        guard var components = URLComponents(url: url, resolvingAgainstBaseURL: true) else { return name }
        components.query = nil
        components.fragment = nil
        return components.string ?? name
    }

    /// What the store keeps with it.
    var record: Record { Record(url: address, bytes: bytes, sha256: sha256, license: license) }

    /// What messages call it.
    var name: String { place.joined(separator: "/") }
}

extension URL {
    /// Whether nobody can read along: over TLS, or within this device.
    var isPrivate: Bool {
        let isLoopback = host == "localhost" || host == "::1" || host?.hasPrefix("127.") == true
        return scheme == "https" || scheme == "http" && isLoopback
    }
}

/// The longest part of a path.
private let longestName = 200

/// Names that begin with a dot are the store's own.
private func placeOf(_ url: URL) throws -> [String] {
    let components = URLComponents(url: url, resolvingAgainstBaseURL: true)
    guard let components, let host = components.host, ["https", "http"].contains(components.scheme) else {
        throw StoreError.invalidSource(why: "a model is named by a web address")
    }
    let hasPassword = components.user != nil || components.password != nil
    try require(!hasPassword, "leave the password out of the address: it would be stored and shown")
    let server = readable(host) + (components.port.map { ",\($0)" } ?? "")
    let path = components.percentEncodedPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    let names = path.map { readable(String($0)) }
    let isUsable = names.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && $0.utf8.count <= longestName }
    try require(isUsable && !names.isEmpty, "the address does not end with the name of a file")
    return [server] + names
}

/// A name that every file system can have. No two of an address become one.
private func readable(_ segment: String) -> String {
    segment.utf8.map { byte in
        let character = Character(UnicodeScalar(byte))
        let isPlain = byte < 128 && (character.isLetter || character.isNumber || "._-+=@%".contains(character))
        return isPlain ? String(character) : "%" + hexadecimal([byte]).uppercased()
    }.joined()
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func require(_ usable: Bool, _ why: String) throws {
    if !usable { throw StoreError.invalidSource(why: why) }
}
