import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a server's reply means for an unfinished download.
enum Reply: Equatable {
    /// The whole model, with its size if that is known.
    case whole(bytes: Int?)
    /// The model from a byte on, and its size.
    case rest(from: Int, bytes: Int)
    /// There is nothing from there on, or what there is cannot be told.
    case unusable(why: String)
    /// It may work later; the server may say when, in seconds.
    case later(why: String, wait: Double?)

    /// Throws ``StoreError`` for what will not work later either.
    init(_ response: HTTPURLResponse, name: String) throws {
        func header(_ field: String) -> String? { response.value(forHTTPHeaderField: field) }
        let status = response.statusCode
        if [200, 206].contains(status), header("Content-Type")?.hasPrefix("text/html") == true {
            throw StoreError.mismatch(name: name, why: "the server sent a web page: check the network's login")
        }
        switch status {
        case 200: self = .whole(bytes: header("Content-Length").flatMap { Int($0) })
        case 206: self = Self.rest(header("Content-Range") ?? "")
        case 300..<400: self = .later(why: "the server redirects in circles, or to an address without TLS", wait: nil)
        case 416: self = .unusable(why: "the server has nothing from there on")
        case 401, 403: throw StoreError.denied(name: name, status: status)
        case 404, 410: throw StoreError.notFound(name: name)
        case 408, 425, 429, 500..<600:
            let wait = header("Retry-After").flatMap { Double($0) }
            self = .later(why: "the server is busy (status \(status))", wait: wait)
        default: throw StoreError.mismatch(name: name, why: "the server answered with status \(status)")
        }
    }

    /// `bytes FROM-LAST/SIZE` up to the end.
    private static func rest(_ range: String) -> Self {
        let numbers = range.dropFirst("bytes ".count).split(whereSeparator: { "-/".contains($0) }).map { Int($0) }
        guard range.hasPrefix("bytes "), numbers.count == 3,
            let from = numbers[0], let last = numbers[1], let bytes = numbers[2], from <= last, last == bytes - 1
        else { return .unusable(why: "the server sent a part of the file, but not which") }
        return .rest(from: from, bytes: bytes)
    }
}
