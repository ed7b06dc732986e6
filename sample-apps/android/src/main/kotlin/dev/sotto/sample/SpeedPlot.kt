package dev.sotto.sample

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.icu.text.NumberFormat
import android.util.AttributeSet
import android.view.View

/** Draws [Speeds]: from one summary to the next, a line with dots for reading and one with rings for writing. */
class SpeedPlot(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val density = resources.displayMetrics.density
    private val numbers = NumberFormat.getInstance()
    private val line = Path()

    private val grid = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.grid)
        strokeWidth = density
    }
    private val words = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.faint)
        textSize = resources.getDimension(R.dimen.plot_text)
    }
    private val reading = ink(R.color.accent)
    private val writing = ink(R.color.second)

    var speeds: Speeds = Speeds.of(emptyList())
        set(value) {
            field = value
            contentDescription = when (val last = value.written.lastOrNull()) {
                null -> context.getString(R.string.plot_empty)

                else -> resources.getQuantityString(
                    R.plurals.plot_description,
                    value.written.size,
                    value.written.size,
                    value.read.last(),
                    last,
                )
            }
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val marks = listOf(0.0, speeds.top / 2, speeds.top)
        val area = Area(
            start = marks.maxOf { words.measureText(numbers.format(it)) } + 8 * density,
            top = words.textSize,
            bottom = height - 2 * words.textSize,
        )
        for (mark in marks) {
            val y = area.up(mark)
            canvas.drawLine(area.across(0f), y, area.across(1f), y, grid)
            drawWords(canvas, numbers.format(mark), if (isMirrored) width.toFloat() else 0f, y + words.textSize / 3)
        }
        for (index in labelled(speeds.read.size)) {
            val label = numbers.format(index + 1)
            canvas.drawText(label, area.at(index) - words.measureText(label) / 2, height - words.textSize / 3, words)
        }
        drawLine(canvas, area, speeds.read, reading, reading.color)
        drawLine(canvas, area, speeds.written, writing, context.getColor(R.color.surface))
    }

    private fun drawLine(canvas: Canvas, area: Area, values: List<Double>, paint: Paint, inside: Int) {
        line.rewind()
        for ((index, value) in values.withIndex()) {
            val (x, y) = area.at(index) to area.up(value)
            if (index == 0) line.moveTo(x, y) else line.lineTo(x, y)
        }
        canvas.drawPath(line, paint)
        val filling = Paint(paint).apply {
            color = inside
            style = Paint.Style.FILL
        }
        for ((index, value) in values.withIndex()) {
            for (ink in listOf(filling, paint)) canvas.drawCircle(area.at(index), area.up(value), 4 * density, ink)
        }
    }

    /** Begins at [x], or, where one reads from right to left, ends there. */
    private fun drawWords(canvas: Canvas, text: String, x: Float, y: Float) =
        canvas.drawText(text, if (isMirrored) x - words.measureText(text) else x, y, words)

    /** The first and the last summary, and the one between. */
    private fun labelled(count: Int) = setOf(0, (count - 1) / 2, count - 1).filter { it in 0 until count }

    private fun ink(color: Int) = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        this.color = context.getColor(color)
        strokeWidth = 2 * density
        style = Paint.Style.STROKE
    }

    private val isMirrored get() = layoutDirection == LAYOUT_DIRECTION_RTL

    /** Where the lines are: below [top], above [bottom], and [start] from the side at which one begins to read. */
    private inner class Area(val start: Float, val top: Float, val bottom: Float) {
        private val end = width - 8 * density

        fun up(speed: Double) = bottom + (top - bottom) * (speed / speeds.top).toFloat()

        fun at(index: Int) = across(if (speeds.read.size == 1) 0.5f else 0.04f + 0.92f * index / (speeds.read.size - 1))

        fun across(fraction: Float) = (start + (end - start) * fraction).let { if (isMirrored) width - it else it }
    }
}
