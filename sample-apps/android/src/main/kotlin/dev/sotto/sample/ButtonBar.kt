package dev.sotto.sample

import android.content.Context
import android.graphics.drawable.GradientDrawable
import android.util.AttributeSet
import android.view.View
import android.widget.LinearLayout

/** Buttons of one width beside each other or, where the words of one would not fit, below each other. */
class ButtonBar(context: Context, attributes: AttributeSet?) : LinearLayout(context, attributes) {
    private val gap = resources.getDimensionPixelSize(R.dimen.gap)

    init {
        dividerDrawable = GradientDrawable().apply { setSize(gap, gap) }
        showDividers = SHOW_DIVIDER_MIDDLE
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val buttons = (0 until childCount).map(::getChildAt)
        val widest = buttons.maxOfOrNull(::naturalWidth) ?: 0
        val room = MeasureSpec.getSize(widthMeasureSpec) - paddingLeft - paddingRight - gap * (buttons.size - 1)
        val isRow = widest * buttons.size <= room
        orientation = if (isRow) HORIZONTAL else VERTICAL
        for (button in buttons) {
            (button.layoutParams as LayoutParams).apply {
                width = if (isRow) 0 else LayoutParams.MATCH_PARENT
                weight = if (isRow) 1f else 0f
            }
        }
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }

    private fun naturalWidth(view: View): Int {
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        view.measure(free, free)
        return view.measuredWidth
    }
}
