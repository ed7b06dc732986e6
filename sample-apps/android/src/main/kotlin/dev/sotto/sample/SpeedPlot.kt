package dev.sotto.sample

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.util.AttributeSet
import android.view.View

/** Draws a [Plot]: a line, a dot for each run, and the speeds at the bottom and the top. */
class SpeedPlot(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val density = resources.displayMetrics.density
    private val margin = 12 * density
    private val line = Path()

    private val ink = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.accent)
        strokeWidth = 2 * density
        style = Paint.Style.STROKE
    }
    private val grid = Paint(ink).apply {
        color = context.getColor(R.color.grid)
        strokeWidth = density
    }
    private val words = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.faint)
        textSize = 12 * density * resources.configuration.fontScale
    }

    var plot: Plot = Plot(emptyList(), 1.0)
        set(value) {
            field = value
            val last = value.points.lastOrNull()
            contentDescription = when (last) {
                null -> context.getString(R.string.plot_empty)
                else -> context.getString(R.string.plot_description, value.points.size, last.second * value.top)
            }
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val (left, top) = margin to margin + words.textSize
        val (right, bottom) = width - margin to height - margin
        canvas.drawLine(left, top, right, top, grid)
        canvas.drawLine(left, bottom, right, bottom, grid)
        canvas.drawText(context.getString(R.string.tokens_per_second, plot.top), left, top - margin / 3, words)

        line.rewind()
        for ((index, point) in plot.points.withIndex()) {
            val x = left + (right - left) * point.first
            val y = bottom + (top - bottom) * point.second
            if (index == 0) line.moveTo(x, y) else line.lineTo(x, y)
            canvas.drawCircle(x, y, 3 * density, ink)
        }
        canvas.drawPath(line, ink)
    }
}
