package dev.sotto.sample

import android.app.Activity
import android.app.AlertDialog
import android.graphics.Paint
import android.os.Build
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import android.widget.Toolbar
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/** For the work of one screen: what is there already is shown before the first frame. */
fun screenScope() = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

/** Draws behind the bars of the system and keeps the content of [screen] out of them, of cut-outs and of the keyboard. */
fun Activity.showEdgeToEdge(screen: View) {
    // Before Android 11, the system keeps windows out of them.
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return
    // From Android 15 on, it is so anyway.
    @Suppress("DEPRECATION")
    window.setDecorFitsSystemWindows(false)
    screen.setOnApplyWindowInsetsListener { view, insets ->
        val types = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
        val bars = insets.getInsets(types)
        view.setPadding(bars.left, bars.top, bars.right, bars.bottom)
        WindowInsets.CONSUMED
    }
}

/** Has [toolbar] show the title and the menu, and a way back unless the screen is the first one. */
fun Activity.useToolbar(toolbar: Toolbar, isHome: Boolean) {
    setActionBar(toolbar)
    actionBar?.setDisplayHomeAsUpEnabled(!isHome)
}

/** Asks whether to delete what [words] are about; the button for it says [delete]. */
fun Activity.deletionOf(words: String, delete: Int, onDelete: () -> Unit): AlertDialog.Builder = AlertDialog.Builder(this)
    .setMessage(words)
    .setPositiveButton(delete) { _, _ -> onDelete() }
    .setNegativeButton(R.string.keep, null)

/** One view for each item; those that are there already are used again. */
fun <T> ViewGroup.fill(items: List<T>, layout: Int, show: View.(T) -> Unit) {
    while (childCount > items.size) removeViewAt(childCount - 1)
    while (childCount < items.size) LayoutInflater.from(context).inflate(layout, this)
    items.forEachIndexed { index, item -> getChildAt(index).show(item) }
}

/** A view that is not visible takes no room. */
var View.isVisible: Boolean
    get() = visibility == View.VISIBLE
    set(value) {
        visibility = if (value) View.VISIBLE else View.GONE
    }

fun TextView.showUnlessEmpty(words: String) {
    text = words
    isVisible = words.isNotEmpty()
}

fun TextView.strikeThrough(isStruck: Boolean) {
    paintFlags = if (isStruck) paintFlags or Paint.STRIKE_THRU_TEXT_FLAG else paintFlags and Paint.STRIKE_THRU_TEXT_FLAG.inv()
}
