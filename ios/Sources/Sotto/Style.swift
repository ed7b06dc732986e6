import Foundation
internal import SottoFFI

/// How a person writes, as a ``Personal`` knows it, from ``Personal/style(_:)``: their texts, a profile that can be read and edited, and an
/// adapter that a model learnt from the texts.
///
/// ```swift
/// let style = try personal.style("me")
/// try await style.learn(message, source: "mail")
/// let chat = try await model.session("You answer mails.", style: style)
/// ```
public final class Style: Sendable {
    /// The adapter of a style.
    public struct Adapter: Hashable, Sendable {
        /// Its file.
        public let url: URL
        /// A text that it was learnt from has been deleted since: learn it again.
        public let outdated: Bool
        /// When it was learnt.
        public let time: Date
    }

    /// What happens to an adapter when a text that it was learnt from is deleted.
    public enum OnDeletion: Hashable, Sendable {
        /// It is dropped, with its file.
        case drop
        /// It stays in use, marked as outdated, until it is learnt again.
        case mark

        var ffi: FfiOnDeletion {
            switch self {
            case .drop: .drop
            case .mark: .mark
            }
        }
    }

    let ffi: FfiStyle
    private let personal: Personal

    init(_ ffi: FfiStyle, of personal: Personal) {
        self.ffi = ffi
        self.personal = personal
    }

    /// Adds a text that the person wrote, unless learning is paused. `source` is where, as the person would call it.
    @discardableResult
    public func learn(_ text: String, source: String, at time: Date = .now) async throws -> Personal.Learnt {
        try await waiting { [ffi] in
            Personal.Learnt(try ffi.learn(text: text, source: source, time: FfiTimestamp(time)))
        }
    }

    /// The profile: what the person made of it, or else what the texts show.
    public func profile() async throws -> StyleProfile {
        try await waiting { [ffi] in StyleProfile(try ffi.profile()) }
    }

    /// Keeps a profile that the person edited; with `nil`, the profile follows the texts again.
    public func setProfile(_ profile: StyleProfile?, at time: Date = .now) async throws {
        let profile = try profile.map { try $0.ffi() }
        try await waiting { [ffi] in try ffi.setProfile(profile: profile, time: FfiTimestamp(time)) }
    }

    /// The adapter, if one was learnt and is still there.
    public func adapter() async throws -> Adapter? {
        try await waiting { [ffi] in
            try ffi.adapter().map {
                Adapter(url: URL(fileURLWithPath: $0.path), outdated: $0.outdated, time: $0.time.date)
            }
        }
    }

    /// Drops the adapter. The texts and the profile stay. The result says whether there was one.
    @discardableResult
    public func dropAdapter() async throws -> Bool {
        try await waiting { [ffi] in try ffi.dropAdapter() }
    }
}

extension Personal {
    /// The style of a person, by a name such as "me". It need not exist yet.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for an empty or overlong name.
    public func style(_ name: String) throws -> Style {
        Style(try translated { try ffi.style(name: name) }, of: self)
    }

    /// Sets a setting of a collection, in place of the one with its name. The value is JSON. That is no learning: it works while that is
    /// paused.
    @discardableResult
    public func set(
        _ name: String, of collection: String, to json: String, source: String, at time: Date = .now
    ) async throws -> Int {
        try await waiting { [ffi] in
            let time = FfiTimestamp(time)
            return Int(
                clamping: try ffi.set(collection: collection, name: name, json: json, source: source, time: time))
        }
    }

    /// A setting of a collection, as JSON.
    public func setting(_ name: String, of collection: String) async throws -> String? {
        try await waiting { [ffi] in try ffi.setting(collection: collection, name: name) }
    }

    /// Drops something that was learnt from records, with its file. The result says whether it was there.
    @discardableResult
    public func dropDerived(_ name: String, of collection: String) async throws -> Bool {
        try await waiting { [ffi] in try ffi.dropDerived(collection: collection, name: name) }
    }
}
