import Foundation
internal import SottoFFI

/// What an app has learnt about its user, in one file on the device. All of it can be listed, exported, deleted and paused.
///
/// Each call is one transaction: it is on the disk when the call returns, or has changed nothing. A file can be open only
/// once: share one `Personal`. It is closed once nothing refers to it or to its items.
///
/// ```swift
/// let personal = try await Personal.open(.applicationSupportDirectory.appending(path: "personal"))
/// try await personal.items("recipes").record("cake", .opened)
/// for record in try await personal.records() { show(record.source, record.time, record.payload) }
/// try await personal.deleteAll()
/// ```
public final class Personal: Sendable {
    let ffi: FfiPersonal
    private let url: URL

    private init(_ ffi: FfiPersonal, _ url: URL) {
        self.ffi = ffi
        self.url = url
    }

    /// Opens the store in the file at `url`, or makes one; its folder must exist.
    ///
    /// The file is left out of backups, and on devices with a passcode it can be opened only while they are unlocked.
    ///
    /// - Throws: ``SottoError/storeInUse(path:)`` if it is open already, ``SottoError/storeInvalid(path:why:)`` if the file
    ///   is damaged or is not a personal store.
    public static func open(_ url: URL) async throws -> Personal {
        let ffi = try await waiting { try openPersonal(path: url.path(percentEncoded: false)) }
        protect(url)
        return Personal(ffi, url)
    }

    /// All that was learnt, in the order in which it was learnt, with source and time.
    public func records(_ filter: Filter = Filter()) async throws -> [Record] {
        try await waiting { [ffi] in try ffi.records(filter: filter.ffi()).map(Record.init) }
    }

    /// How many records there are.
    public func count() async throws -> Int {
        try await waiting { [ffi] in Int(clamping: try ffi.count()) }
    }

    /// What was learnt from the records: classifiers and adapters.
    public func allDerived() async throws -> [Derived] {
        try await waiting { [ffi] in try ffi.allDerived().map(Derived.init) }
    }

    /// Deletes records. With an item go its events. What was learnt from them is dropped or marked, and the result says
    /// which. Afterwards no byte of them is in the file or beside it. Pass all ids at once: each call rewrites the file.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` if there is no record with one of the ids; nothing is deleted then.
    ///   ``SottoError/storage(path:reason:)`` if the disk was too full to rewrite the file. If the records are not listed any
    ///   more, they are deleted; call ``tidy(now:)`` later.
    @discardableResult
    public func delete(_ ids: [Int]) async throws -> Deletion {
        try await rewriting { try $0.delete(ids: ids.map { UInt64(clamping: $0) }) }
    }

    /// Deletes all records of a source, as ``delete(_:)`` does.
    @discardableResult
    public func forget(_ source: String) async throws -> Deletion {
        try await rewriting { try $0.forget(source: source) }
    }

    /// Deletes all records and all that was learnt from them. The limits, and whether learning is paused, stay.
    @discardableResult
    public func deleteAll() async throws -> Deletion {
        try await rewriting { try $0.deleteAll() }
    }

    /// Deletes what is beyond the limits, and erases what replaced and dropped records left in the file's free space, as
    /// opening the store does, too. Call it from a job in the background.
    @discardableResult
    public func tidy(now: Date = .now) async throws -> Deletion {
        try await rewriting { try $0.tidy(now: FfiTimestamp(now)) }
    }

    /// The limits on what is kept.
    public func limits() async throws -> Limits {
        try await waiting { [ffi] in Limits(try ffi.limits()) }
    }

    /// Sets the limits on what is kept, and deletes what is beyond them.
    @discardableResult
    public func setLimits(_ limits: Limits, now: Date = .now) async throws -> Deletion {
        try await rewriting { try $0.setLimits(limits: limits.ffi(), now: FfiTimestamp(now)) }
    }

    /// Whether learning is paused.
    public func isPaused() async throws -> Bool {
        try await waiting { [ffi] in try ffi.isPaused() }
    }

    /// Pauses learning, or goes on with it. While it is paused, calls that would learn change nothing and say so.
    public func setPaused(_ paused: Bool) async throws {
        try await waiting { [ffi] in try ffi.setPaused(paused: paused) }
    }

    /// Writes all records to a new JSON file, which people can read, and ``import(_:)`` can read back.
    public func export(_ url: URL) async throws {
        try await waiting { [ffi] in try ffi.export(target: url.path(percentEncoded: false)) }
    }

    /// Adds the records of an exported file, in one step. Records that are there already are not added twice.
    ///
    /// - Throws: ``SottoError/storeInvalid(path:why:)`` if it is not an exported file; nothing is added then.
    @discardableResult
    public func `import`(_ url: URL) async throws -> Imported {
        try await waiting { [ffi] in Imported(try ffi.import(source: url.path(percentEncoded: false))) }
    }

    /// The items of a collection. They and their events have the collection's name as their source.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` for an empty or overlong name.
    public func items(_ collection: String) throws -> Items {
        Items(try translated { try ffi.items(collection: collection) }, of: self)
    }

    func rewriting(_ body: @escaping @Sendable (FfiPersonal) throws -> FfiDeletion) async throws -> Deletion {
        // The new file in place of the old one is to be protected like it, also if only a part was done.
        defer { Self.protect(url) }
        return Deletion(try await waiting { [ffi] in try body(ffi) })
    }

    /// Leaves the file out of backups, and lets it be opened only while the device is unlocked.
    private static func protect(_ url: URL) {
        #if canImport(Darwin)
            var (url, values) = (url, URLResourceValues())
            values.isExcludedFromBackup = true
            // Not every volume knows these; the store works without.
            try? url.setResourceValues(values)
            #if !os(macOS)
                let path = url.path(percentEncoded: false)
                let protection = [FileAttributeKey.protectionKey: FileProtectionType.completeUnlessOpen]
                try? FileManager.default.setAttributes(protection, ofItemAtPath: path)
            #endif
        #endif
    }
}

extension Personal {
    /// One thing that was learnt.
    public struct Record: Identifiable, Hashable, Sendable {
        /// A number that no other record of the store has or had.
        public let id: Int
        /// What it belongs to.
        public let collection: String
        /// Where it came from. ``Personal/forget(_:)`` takes it.
        public let source: String
        /// When it was learnt.
        public let time: Date
        /// What was learnt.
        public let payload: Payload

        init(_ ffi: FfiRecord) {
            id = Int(clamping: ffi.id)
            collection = ffi.collection
            source = ffi.source
            time = ffi.time.date
            payload = Payload(ffi.payload)
        }
    }

    /// What a record holds.
    public enum Payload: Hashable, Sendable {
        /// A text and the label that the user gave it.
        case example(text: String, label: String)
        /// A text that the user wrote.
        case text(text: String)
        /// An item that can be recommended.
        case item(item: Items.Item)
        /// What the user did with an item.
        case event(item: String, event: Items.Event)
        /// A training of an adapter, whether its result was kept, and its report as JSON.
        case training(kept: Bool, report: String)
        /// A setting, with its value as JSON.
        case setting(name: String, value: String)

        init(_ ffi: FfiPayload) {
            self =
                switch ffi {
                case .example(let text, let label): .example(text: text, label: label)
                case .text(let text): .text(text: text)
                case .item(let item): .item(item: Items.Item(item))
                case .event(let item, let event): .event(item: item, event: Items.Event(event))
                case .training(let kept, let report): .training(kept: kept, report: report)
                case .setting(let name, let value): .setting(name: name, value: value)
                }
        }
    }

    /// Which ``Payload`` a record holds.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// A labelled text.
        case example
        /// A text that the user wrote.
        case text
        /// An item.
        case item
        /// What the user did with an item.
        case event
        /// A training.
        case training
        /// A setting.
        case setting

        fileprivate var ffi: FfiKind {
            switch self {
            case .example: .example
            case .text: .text
            case .item: .item
            case .event: .event
            case .training: .training
            case .setting: .setting
            }
        }
    }

    /// Which records to list.
    public struct Filter: Hashable, Sendable {
        /// Only those of this collection.
        public var collection: String?
        /// Only those of this kind.
        public var kind: Kind?
        /// Only those of this source.
        public var source: String?
        /// Only those with a greater id, to list page by page.
        public var after: Int?
        /// At most this many.
        public var limit: Int?

        /// A filter; by default for all records.
        public init(
            collection: String? = nil, kind: Kind? = nil, source: String? = nil, after: Int? = nil, limit: Int? = nil
        ) {
            self.collection = collection
            self.kind = kind
            self.source = source
            self.after = after
            self.limit = limit
        }

        func ffi() throws -> FfiFilter {
            FfiFilter(
                collection: collection, kind: kind?.ffi, source: source, after: after.map { UInt64(clamping: $0) },
                limit: try limit.map { try UInt32($0, atLeast: 0, "limit") })
        }
    }

    /// What a deletion removed.
    public struct Deletion: Hashable, Sendable {
        /// The ids of the deleted records.
        public let records: [Int]
        /// What became of what was learnt from them.
        public let derived: [DerivedChange]

        init(_ ffi: FfiDeletion) {
            records = ffi.records.map { Int(clamping: $0) }
            derived = ffi.derived.map(DerivedChange.init)
        }
    }

    /// What became of something that was learnt from deleted records.
    public struct DerivedChange: Hashable, Sendable {
        /// Its collection.
        public let collection: String
        /// Its name.
        public let name: String
        /// It was dropped; otherwise it is marked as ``Derived/outdated``, and is to be learnt again.
        public let dropped: Bool

        init(_ ffi: FfiDerivedChange) {
            collection = ffi.collection
            name = ffi.name
            dropped = ffi.dropped
        }
    }

    /// Something that was learnt from records, such as a trained classifier or an adapter.
    public struct Derived: Hashable, Sendable {
        /// What it belongs to.
        public let collection: String
        /// Its name in the collection.
        public let name: String
        /// The ids of the records that it was learnt from.
        public let learntFrom: [Int]
        /// When it was learnt.
        public let time: Date
        /// A record that it was learnt from has been deleted since: learn it again.
        public let outdated: Bool

        init(_ ffi: FfiDerived) {
            collection = ffi.collection
            name = ffi.name
            learntFrom = ffi.learntFrom.map { Int(clamping: $0) }
            time = ffi.time.date
            outdated = ffi.outdated
        }
    }

    /// What became of something to learn.
    public struct Learnt: Hashable, Sendable {
        /// The ids of its records. Empty if learning is paused.
        public let ids: [Int]
        /// Nothing was learnt, because learning is paused.
        public let paused: Bool
        /// What had to go, because of ``Limits``.
        public let dropped: Deletion

        init(_ ffi: FfiLearnt) {
            ids = ffi.ids.map { Int(clamping: $0) }
            paused = ffi.paused
            dropped = Deletion(ffi.dropped)
        }
    }

    /// How much history is kept: examples, texts, events and trainings. The oldest goes first. Nothing is limited by
    /// default.
    public struct Limits: Hashable, Sendable {
        /// The most records of each kind in each collection.
        public var maxRecords: Int?
        /// The highest age of a record, in days. A clock that jumps ahead for less than an hour deletes nothing.
        public var maxAgeDays: Int?

        /// Limits; by default none.
        public init(maxRecords: Int? = nil, maxAgeDays: Int? = nil) {
            self.maxRecords = maxRecords
            self.maxAgeDays = maxAgeDays
        }

        init(_ ffi: FfiLimits) {
            maxRecords = ffi.maxRecords.map { Int(clamping: $0) }
            maxAgeDays = ffi.maxAgeDays.map { Int($0) }
        }

        func ffi() throws -> FfiLimits {
            guard maxRecords ?? 0 >= 0 else { throw SottoError.invalidInput(what: "maxRecords must be at least 0") }
            return FfiLimits(
                maxRecords: maxRecords.map { UInt64($0) },
                maxAgeDays: try maxAgeDays.map { try UInt32($0, atLeast: 0, "maxAgeDays") })
        }
    }

    /// What an import added.
    public struct Imported: Hashable, Sendable {
        /// Records that are new.
        public let added: Int
        /// Records that were there already.
        public let known: Int

        init(_ ffi: FfiImported) {
            added = Int(clamping: ffi.added)
            known = Int(clamping: ffi.known)
        }
    }
}

extension FfiTimestamp {
    /// The time, and what the clock on the wall shows in `zone`.
    init(_ date: Date, in zone: TimeZone = .current) {
        self.init(
            unixMillis: Int64((date.timeIntervalSince1970 * 1000).rounded()),
            utcOffsetMinutes: Int16(clamping: zone.secondsFromGMT(for: date) / 60))
    }

    var date: Date {
        Date(timeIntervalSince1970: Double(unixMillis) / 1000)
    }
}

/// Calls the library on a thread that may wait for the disk.
func waiting<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
            continuation.resume(with: Result { try translated(body) })
        }
    }
}
