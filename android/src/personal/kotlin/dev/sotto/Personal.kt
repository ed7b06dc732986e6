package dev.sotto

import dev.sotto.internal.FfiDeletion
import dev.sotto.internal.FfiDerived
import dev.sotto.internal.FfiFilter
import dev.sotto.internal.FfiKind
import dev.sotto.internal.FfiLearnt
import dev.sotto.internal.FfiLimits
import dev.sotto.internal.FfiPayload
import dev.sotto.internal.FfiPersonal
import dev.sotto.internal.FfiRecord
import dev.sotto.internal.FfiTimestamp
import dev.sotto.internal.openPersonal
import java.io.File
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset

/**
 * What an app has learnt about its user, in one file on the device. All of it can be listed, exported, deleted and paused.
 *
 * Each call is one transaction: it is on the disk when the call returns, or has changed nothing. Safe to use from any thread. A
 * file can be open only once: share one [Personal].
 *
 * ```
 * val personal = Personal.open(context)
 * personal.items("recipes").record("cake", Event.OPENED)
 * personal.records().forEach { show(it.source, it.time, it.payload) }
 * personal.deleteAll()
 * ```
 */
public class Personal private constructor(private val ffi: FfiPersonal) : AutoCloseable {
    /** All that was learnt, in the order in which it was learnt, with source and time. */
    public suspend fun records(filter: Filter = Filter()): List<Record> =
        native { open().records(filter.toFfi()).map { it.toRecord() } }

    /** How many records there are. */
    public suspend fun count(): Long = native { open().count().toLong() }

    /** What was learnt from the records: classifiers and adapters. */
    public suspend fun allDerived(): List<Derived> = native { open().allDerived().map { it.toDerived() } }

    /**
     * Deletes records. With an item go its events. What was learnt from them is dropped or marked, and the result says which.
     * Afterwards no byte of them is in the file or beside it. Pass all ids at once: each call rewrites the file.
     *
     * @throws SottoException.InvalidInput if there is no record with one of the ids; nothing is deleted then.
     * @throws SottoException.Storage if the disk was too full to rewrite the file. If the records are not listed any more, they are
     *   deleted; call [tidy] later.
     */
    public suspend fun delete(ids: List<Long>): Deletion = native { open().delete(ids.map { it.toULong() }).toDeletion() }

    /** Deletes all records of a source, as [delete] does. */
    public suspend fun forget(source: String): Deletion = native { open().forget(source).toDeletion() }

    /** Deletes all records and all that was learnt from them. The limits, and whether learning is paused, stay. */
    public suspend fun deleteAll(): Deletion = native { open().deleteAll().toDeletion() }

    /**
     * Deletes what is beyond the limits, and erases what replaced and dropped records left in the file's free space, as opening
     * the store does, too. Call it from a job in the background.
     */
    public suspend fun tidy(now: OffsetDateTime = OffsetDateTime.now()): Deletion =
        native { open().tidy(now.toFfi()).toDeletion() }

    /** The limits on what is kept. */
    public suspend fun limits(): Limits = native { open().limits().toLimits() }

    /** Sets the limits on what is kept, and deletes what is beyond them. */
    public suspend fun setLimits(limits: Limits, now: OffsetDateTime = OffsetDateTime.now()): Deletion =
        native { open().setLimits(limits.toFfi(), now.toFfi()).toDeletion() }

    /** Whether learning is paused. */
    public suspend fun isPaused(): Boolean = native { open().isPaused() }

    /** Pauses learning, or goes on with it. While it is paused, calls that would learn change nothing and say so. */
    public suspend fun setPaused(paused: Boolean): Unit = native { open().setPaused(paused) }

    /** Writes all records to a new JSON file, which people can read, and [import] can read back. */
    public suspend fun export(file: File): Unit = native { open().export(file.path) }

    /**
     * Adds the records of an exported file, in one step. Records that are there already are not added twice.
     *
     * @throws SottoException.StoreInvalid if it is not an exported file; nothing is added then.
     */
    public suspend fun import(file: File): Imported = native {
        val (added, known) = open().import(file.path).let { it.added to it.known }
        Imported(added.toLong(), known.toLong())
    }

    /** The items of a collection. They and their events have the collection's name as their source. */
    public fun items(collection: String): Items = Items(this, collection)

    /**
     * A classifier with these labels, which learns from the examples of a collection. Below [minConfidence] it abstains. Examples with other
     * labels stay in the store, and count again when their labels come back.
     *
     * @throws SottoException.InvalidInput for fewer than two labels, and for repeated or empty names.
     */
    public fun classifier(
        collection: String,
        labels: List<Label>,
        minConfidence: Double = LocalModel.DEFAULT_MIN_CONFIDENCE,
    ): Classifier = translated { Classifier(open().classifier(collection, labels.map(Label::toFfi), minConfidence)) }

    /** The style of a person, by a name such as "me". It need not exist yet. */
    public fun style(name: String): Style = Style(this, name)

    /**
     * Sets a setting of a collection, in place of the one with its name. The value is JSON. That is no learning: it works while that is
     * paused.
     */
    public suspend fun set(
        collection: String,
        name: String,
        json: String,
        source: String,
        time: OffsetDateTime = OffsetDateTime.now(),
    ): Long = native { open().set(collection, name, json, source, time.toFfi()).toLong() }

    /** A setting of a collection, as JSON. */
    public suspend fun setting(collection: String, name: String): String? = native { open().setting(collection, name) }

    /** Drops something that was learnt from records, with its file. The result says whether it was there. */
    public suspend fun dropDerived(collection: String, name: String): Boolean = native { open().dropDerived(collection, name) }

    /** Closes the file. */
    override fun close(): Unit = ffi.close()

    internal fun open(): FfiPersonal {
        check(!ffi.uniffiIsDestroyed) { "the personal store is closed" }
        return ffi
    }

    /** Opens stores. */
    public companion object {
        /**
         * Opens the store in [file], or makes one; its folder must exist. On Android, open it by the app's context, which keeps it
         * out of backups.
         *
         * @throws SottoException.StoreInUse if it is open already.
         * @throws SottoException.StoreInvalid if the file is damaged, or is not a personal store.
         */
        public suspend fun open(file: File): Personal = closingUnlessDelivered { made ->
            native {
                javaLoad
                Personal(openPersonal(file.path)).also(made)
            }
        }
    }

    /**
     * One thing that was learnt.
     *
     * @property id a number that no other record of the store has or had.
     * @property collection what it belongs to.
     * @property source where it came from. [forget] takes it.
     * @property time when it was learnt.
     * @property payload what was learnt.
     */
    @ByValue
    public class Record(
        public val id: Long,
        public val collection: String,
        public val source: String,
        public val time: OffsetDateTime,
        public val payload: Payload,
    )

    /** What a record holds. */
    public sealed class Payload {
        /** A [text] and the [label] that the user gave it. */
        @ByValue
        public class Example(public val text: String, public val label: String) : Payload()

        /** A [text] that the user wrote. */
        @ByValue
        public class Text(public val text: String) : Payload()

        /** An [item] that can be recommended. */
        @ByValue
        public class Item(public val item: dev.sotto.Item) : Payload()

        /** The [event]: what the user did with the [item]. */
        @ByValue
        public class Event(public val item: String, public val event: dev.sotto.Event) : Payload()

        /** A training of an adapter: whether its result was [kept], and its [report] as JSON. */
        @ByValue
        public class Training(public val kept: Boolean, public val report: String) : Payload()

        /** A setting: its [name], and its [value] as JSON. */
        @ByValue
        public class Setting(public val name: String, public val value: String) : Payload()
    }

    /** Which [Payload] a record holds. */
    public enum class Kind {
        /** [Payload.Example]. */
        EXAMPLE,

        /** [Payload.Text]. */
        TEXT,

        /** [Payload.Item]. */
        ITEM,

        /** [Payload.Event]. */
        EVENT,

        /** [Payload.Training]. */
        TRAINING,

        /** [Payload.Setting]. */
        SETTING,
    }

    /**
     * Which records to list.
     *
     * @property collection only those of this collection.
     * @property kind only those of this kind.
     * @property source only those of this source.
     * @property after only those with a greater id, to list page by page.
     * @property limit at most this many.
     */
    @ByValue
    public class Filter
    @JvmOverloads
    constructor(
        public val collection: String? = null,
        public val kind: Kind? = null,
        public val source: String? = null,
        public val after: Long? = null,
        public val limit: Int? = null,
    )

    /**
     * What a deletion removed.
     *
     * @property records the ids of the deleted records.
     * @property derived what became of what was learnt from them.
     */
    @ByValue
    public class Deletion(public val records: List<Long>, public val derived: List<DerivedChange>)

    /**
     * What became of something that was learnt from deleted records.
     *
     * @property collection its collection.
     * @property name its name.
     * @property dropped it was dropped; otherwise it is marked as [Derived.outdated], and is to be learnt again.
     */
    @ByValue
    public class DerivedChange(public val collection: String, public val name: String, public val dropped: Boolean)

    /**
     * Something that was learnt from records, such as a trained classifier or an adapter.
     *
     * @property collection what it belongs to.
     * @property name its name in the collection.
     * @property learntFrom the ids of the records that it was learnt from.
     * @property time when it was learnt.
     * @property outdated a record that it was learnt from has been deleted since: learn it again.
     */
    @ByValue
    public class Derived(
        public val collection: String,
        public val name: String,
        public val learntFrom: List<Long>,
        public val time: OffsetDateTime,
        public val outdated: Boolean,
    )

    /**
     * What became of something to learn.
     *
     * @property ids the ids of its records. Empty if learning is paused.
     * @property paused nothing was learnt, because learning is paused.
     * @property dropped what had to go, because of [Limits].
     */
    @ByValue
    public class Learnt(public val ids: List<Long>, public val paused: Boolean, public val dropped: Deletion)

    /**
     * How much history is kept: examples, texts, events and trainings. The oldest goes first. Nothing is limited by default.
     *
     * @property maxRecords the most records of each kind in each collection.
     * @property maxAgeDays the highest age of a record, in days. A clock that jumps ahead for less than an hour deletes nothing.
     */
    @ByValue
    public class Limits
    @JvmOverloads
    constructor(
        public val maxRecords: Long? = null,
        public val maxAgeDays: Int? = null,
    )

    /**
     * What an import added.
     *
     * @property added records that are new.
     * @property known records that were there already.
     */
    @ByValue
    public class Imported(public val added: Long, public val known: Long)
}

internal fun OffsetDateTime.toFfi() = FfiTimestamp(toInstant().toEpochMilli(), (offset.totalSeconds / 60).toShort())

internal fun FfiTimestamp.toTime(): OffsetDateTime =
    Instant.ofEpochMilli(unixMillis).atOffset(ZoneOffset.ofTotalSeconds(utcOffsetMinutes * 60))

private fun Personal.Filter.toFfi(): FfiFilter {
    requireInput(limit == null || limit >= 0, "a limit must not be negative")
    return FfiFilter(collection, kind?.let { FfiKind.valueOf(it.name) }, source, after?.toULong(), limit?.toUInt())
}

private fun FfiRecord.toRecord() = Personal.Record(id.toLong(), collection, source, time.toTime(), payload.toPayload())

private fun FfiPayload.toPayload(): Personal.Payload = when (this) {
    is FfiPayload.Example -> Personal.Payload.Example(text, label)
    is FfiPayload.Text -> Personal.Payload.Text(text)
    is FfiPayload.Item -> Personal.Payload.Item(item.toItem())
    is FfiPayload.Event -> Personal.Payload.Event(item, event.toEvent())
    is FfiPayload.Training -> Personal.Payload.Training(kept, report)
    is FfiPayload.Setting -> Personal.Payload.Setting(name, value)
}

private fun FfiDerived.toDerived() = Personal.Derived(collection, name, learntFrom.map { it.toLong() }, time.toTime(), outdated)

internal fun FfiDeletion.toDeletion() = Personal.Deletion(
    records.map { it.toLong() },
    derived.map { Personal.DerivedChange(it.collection, it.name, it.dropped) },
)

internal fun FfiLearnt.toLearnt() = Personal.Learnt(ids.map { it.toLong() }, paused, dropped.toDeletion())

private fun FfiLimits.toLimits() = Personal.Limits(maxRecords?.toLong(), maxAgeDays?.toInt())

private fun Personal.Limits.toFfi(): FfiLimits {
    requireInput((maxRecords ?: 0) >= 0 && (maxAgeDays ?: 0) >= 0, "a limit must not be negative")
    return FfiLimits(maxRecords?.toULong(), maxAgeDays?.toUInt())
}
