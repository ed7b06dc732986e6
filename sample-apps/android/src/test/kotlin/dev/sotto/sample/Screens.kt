package dev.sotto.sample

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import org.robolectric.Shadows.shadowOf
import kotlin.test.assertNotNull

/** Lets the main thread do what it has to, until [condition] holds. */
fun SampleApp.waitUntil(condition: NoteState.() -> Boolean): NoteState {
    val end = System.nanoTime() + 60_000_000_000
    while (true) {
        shadowOf(Looper.getMainLooper()).idle()
        notebook.state.value.let { if (it.condition()) return it }
        check(System.nanoTime() < end) { "nothing happened: ${notebook.state.value.copy(segments = emptyList())}" }
        Thread.sleep(5)
    }
}

fun <V : View> Activity.view(id: Int): V = assertNotNull(findViewById(id))

fun ViewGroup.children(): List<View> = (0 until childCount).map(::getChildAt)

/** The views within this one, and itself, as far as they can be seen. */
fun View.seen(): List<View> = if (visibility !=
    View.VISIBLE
) {
    emptyList()
} else {
    listOf(this) + (this as? ViewGroup)?.children().orEmpty().flatMap { it.seen() }
}

fun Activity.picture(): Bitmap {
    val content = view<View>(android.R.id.content).rootView
    return Bitmap.createBitmap(content.width, content.height, Bitmap.Config.ARGB_8888).also { content.draw(Canvas(it)) }
}

fun Bitmap.colors(): Set<Int> {
    val pixels = IntArray(width * height)
    getPixels(pixels, 0, width, 0, 0, width, height)
    return pixels.toSet()
}
