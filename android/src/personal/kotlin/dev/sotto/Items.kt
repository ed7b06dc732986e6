package dev.sotto

import dev.sotto.internal.FfiEvent
import dev.sotto.internal.FfiItem
import dev.sotto.internal.FfiItemEvent
import dev.sotto.internal.FfiItems
import dev.sotto.internal.FfiNear
import dev.sotto.internal.FfiQuery
import dev.sotto.internal.FfiReason
import dev.sotto.internal.FfiRecommendation
import java.time.OffsetDateTime

/**
 * A collection of items that can be recommended, from [Personal.items]. Times have the user's own offset, since habits are those of
 * the user's hours and weekdays.
 *
 * ```
 * val recipes = personal.items("recipes")
 * recipes.put(listOf(Item("cake", "Chocolate cake with cream", listOf("sweet"))))
 * recipes.record("cake", Event.OPENED)
 * recipes.recommend(limit = 5).forEach { show(it.id, it.reason) }
 * ```
 */
public class Items internal constructor(private val personal: Personal, private val collection: String) {
    /**
     * Adds items, unless learning is paused. An item with a known id replaces that one, and keeps its events; one that is equal to it
     * changes nothing, so an app may put all its items whenever it starts.
     */
    public suspend fun put(items: List<Item>, at: OffsetDateTime = OffsetDateTime.now()): Personal.Learnt =
        call { it.put(items.map(Item::toFfi), at.toFfi()).toLearnt() }

    /**
     * Records what the user did with an item, unless learning is paused.
     *
     * @throws SottoException.InvalidInput if the item was never put.
     */
    public suspend fun record(item: String, event: Event, time: OffsetDateTime = OffsetDateTime.now()): Personal.Learnt =
        call { it.record(item, event.toFfi(), time.toFfi()).toLearnt() }

    /** Records several events in one step, which is much faster than one by one. */
    public suspend fun recordAll(events: List<ItemEvent>): Personal.Learnt =
        call { it.recordAll(events.map(ItemEvent::toFfi)).toLearnt() }

    /** Deletes an item and its events, as [Personal.delete] does. */
    public suspend fun remove(item: String): Personal.Deletion =
        call { it.remove(item, OffsetDateTime.now().toFfi()).toDeletion() }

    /**
     * The items that the user probably wants now, the best first, each with the reason. Without any events, these are the newest
     * items, or those that are similar to [near].
     *
     * @param near what the items should be similar to, if anything.
     * @param limit how many items at most.
     * @param now the time, with the user's offset.
     * @param again whether items that the user finished may come again: recipes may, articles may not.
     * @param exploration how likely each item but the first is one that the user never used, to find out: 0 to 1.
     * @param seed the seed of this chance; by default the time.
     */
    public suspend fun recommend(
        near: Near? = null,
        limit: Int = 5,
        now: OffsetDateTime = OffsetDateTime.now(),
        again: Boolean = true,
        exploration: Double = 0.05,
        seed: Long? = null,
    ): List<Recommendation> {
        requireInput(limit >= 0, "a limit must not be negative")
        val query = FfiQuery(near?.toFfi(), limit.toUInt(), now.toFfi(), again, exploration, seed?.toULong())
        return call { items -> items.recommend(query).map { it.toRecommendation() } }
    }

    private suspend fun <T> call(body: (FfiItems) -> T): T = native { personal.open().items(collection).use(body) }
}

/**
 * Something that an app can recommend.
 *
 * @property id the app's own name of it.
 * @property text what it says: title and content.
 * @property tags its topics.
 * @property vector an embedding of the text. All items of a collection with one need the same number of dimensions.
 */
@ByValue
public class Item
@JvmOverloads
constructor(
    public val id: String,
    public val text: String,
    public val tags: List<String> = emptyList(),
    public val vector: List<Float>? = null,
)

/** What a user did with an item. */
public enum class Event {
    /** It was shown. */
    SEEN,

    /** It was opened. */
    OPENED,

    /** The user said that it is liked. */
    LIKED,

    /** The user said that it is not wanted. It is not recommended again until another event says otherwise. */
    DISMISSED,

    /** It was read, cooked or watched to its end. */
    FINISHED,
}

/**
 * One thing that the user did with an item.
 *
 * @property item the item's id.
 * @property event what was done.
 * @property time when, with the user's offset.
 */
@ByValue
public class ItemEvent(public val item: String, public val event: Event, public val time: OffsetDateTime)

/** What recommended items should be similar to. */
public sealed class Near {
    /** A [text], such as a search or the page that is open, and its embedding, [vector], if the items have some. */
    @ByValue
    public class Text @JvmOverloads constructor(public val text: String, public val vector: List<Float>? = null) : Near()

    /** Another item, by its [id]. It is not recommended itself. */
    @ByValue
    public class Item(public val id: String) : Near()
}

/**
 * An item to show.
 *
 * @property id the item's id.
 * @property score how well it fits. Only the order of the scores of one call means something.
 * @property reason what spoke for it most.
 */
@ByValue
public class Recommendation(public val id: String, public val score: Float, public val reason: Reason)

/** Why an item is recommended. An app words it for its user. */
public sealed class Reason {
    /** It is similar to what was asked for: up to three [words] that both have. */
    @ByValue
    public class Near(public val words: List<String>) : Reason()

    /** It is similar to what the user likes; [like] is the id of the most similar of the most used items. */
    @ByValue
    public class Taste(public val like: String) : Reason()

    /** The user often uses it, or others with its tags, at this [hour] or on this [weekday], where 0 is Monday. */
    @ByValue
    public class Habit(public val hour: Int, public val weekday: Int) : Reason()

    /** The user uses it often: so many [uses]. */
    @ByValue
    public class Popular(public val uses: Int) : Reason()

    /** The user used it lately, the [last] time. */
    @ByValue
    public class Recent(public val last: OffsetDateTime) : Reason()

    /** It is new, [since] this time. */
    @ByValue
    public class New(public val since: OffsetDateTime) : Reason()

    /** The user never used it; it is shown to find out. */
    public data object Exploration : Reason()
}

private fun Item.toFfi() = FfiItem(id, text, tags, vector)

internal fun FfiItem.toItem() = Item(id, text, tags, vector)

private fun Event.toFfi() = FfiEvent.valueOf(name)

internal fun FfiEvent.toEvent() = Event.valueOf(name)

private fun ItemEvent.toFfi() = FfiItemEvent(item, event.toFfi(), time.toFfi())

private fun Near.toFfi() = when (this) {
    is Near.Text -> FfiNear.Text(text, vector)
    is Near.Item -> FfiNear.Item(id)
}

private fun FfiRecommendation.toRecommendation() = Recommendation(id, score, reason.toReason())

private fun FfiReason.toReason(): Reason = when (this) {
    is FfiReason.Near -> Reason.Near(words)
    is FfiReason.Taste -> Reason.Taste(like)
    is FfiReason.Habit -> Reason.Habit(hour.toInt(), weekday.toInt())
    is FfiReason.Popular -> Reason.Popular(uses.toInt())
    is FfiReason.Recent -> Reason.Recent(last.toTime())
    is FfiReason.New -> Reason.New(since.toTime())
    FfiReason.Exploration -> Reason.Exploration
}
