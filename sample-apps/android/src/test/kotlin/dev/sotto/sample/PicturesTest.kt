package dev.sotto.sample

import android.app.Activity
import android.graphics.Bitmap
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.ActionMenuView
import android.widget.Button
import android.widget.CompoundButton
import android.widget.TextView
import dev.sotto.Personal
import dev.sotto.VoiceNote
import dev.sotto.open
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.time.Instant
import java.time.ZoneOffset
import java.util.TimeZone
import kotlin.math.abs
import kotlin.math.max
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertTrue

/**
 * Each screen, as different people have it: nobody has to do without a part of it. `-Dsotto.pictures=FOLDER` keeps the pictures;
 * `cargo xtask pictures` puts them into the documentation.
 */
@RunWith(ParameterizedRobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], application = AppWithNotes::class)
class PicturesTest(private val name: String, private val qualifiers: String, private val fontScale: Float) {
    private val app get() = RuntimeEnvironment.getApplication() as SampleApp

    @BeforeTest
    fun set() {
        RuntimeEnvironment.setQualifiers(qualifiers)
        RuntimeEnvironment.setFontScale(fontScale)
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        // The name of the model is in the language of the app as it was started.
        app.useDemoModel()
        app.waitUntil { canListen }
    }

    @Test
    fun `the notes`() {
        app.notebook.open("train-trip")
        app.notebook.want(more = true)
        app.notebook.close()
        app.waitUntil { forYou.isNotEmpty() }
        show(NotesActivity::class.java, "notes")
    }

    @Test
    fun `a note`() {
        app.notebook.open("team-call")
        val note = app.waitUntil { summary != null }
        app.notebook.tick(note.summary!!.actions.first().id)
        show(NoteActivity::class.java, "note")
    }

    @Test
    fun `what is known`() {
        app.notebook.open("clinic-move")
        app.notebook.want(more = false)
        app.notebook.open("team-call")
        app.notebook.correct("attention")
        app.notebook.want(more = true)
        show(KnowledgeActivity::class.java, "knowledge") {
            app.waitUntil { app.knowledge.run { refresh() }.let { app.knowledge.state.value.records.size >= 8 } }
        }
    }

    @Test
    fun `speeds`() = show(MetricsActivity::class.java, "speed") {
        render(
            listOf(212.0 to 31.0, 198.0 to 29.5, 224.0 to 33.0, 219.0 to 32.0, 231.0 to 34.5).map { (read, written) ->
                metrics(read, written, 420)
            },
        )
    }

    private fun <A : Activity> show(type: Class<A>, screen: String, fill: A.() -> Unit = {}) {
        val activity = Robolectric.buildActivity(type).setup().visible().get()
        shadowOf(Looper.getMainLooper()).idle()
        activity.fill()
        shadowOf(Looper.getMainLooper()).idle()
        // A bar that has not been faded out would be a picture of nothing.
        activity.view<View>(R.id.screen).seen().forEach { it.isVerticalScrollBarEnabled = false }
        val picture = activity.picture()
        assertContains(picture.colors(), activity.getColor(R.color.accent))
        check(activity)
        val folder = System.getProperty("sotto.pictures")?.takeIf { it.isNotEmpty() } ?: return
        File(folder).mkdirs()
        val file = File(folder, "android-$screen-$name.webp")
        val isWritten = file.outputStream().use { picture.compress(Bitmap.CompressFormat.WEBP_LOSSY, 90, it) }
        assertTrue(isWritten, "$file")
    }

    /** What can be touched has a name and is large enough for a finger; headings are known as such; no button loses a word. */
    private fun check(activity: Activity) {
        val views = activity.view<View>(R.id.screen).seen()
        val smallest = 48 * activity.resources.displayMetrics.density
        for (view in views.filter { it.isClickable && it.isEnabled }) {
            val what = runCatching { view.resources.getResourceEntryName(view.id) }.getOrDefault(view.javaClass.simpleName)
            assertTrue(isNamed(view), "$what has no name")
            // Android's own buttons in the toolbar are as wide as it likes.
            if (view.parent is ActionMenuView) continue
            assertTrue(view.width >= smallest && view.height >= smallest, "$what is ${view.width} x ${view.height}")
        }
        val buttons = views.filterIsInstance<Button>().filter { it !is CompoundButton }
        for ((first, second) in buttons.zipWithNext()) {
            val (across, down) = abs(first.left - second.left) - first.width to abs(first.top - second.top) - first.height
            assertTrue(max(across, down) >= activity.resources.getDimensionPixelSize(R.dimen.gap), "buttons touch each other")
        }
        for (button in buttons) {
            val words = button.layout
            val ends = (1 until words.lineCount).map { words.getLineEnd(it - 1) }
            assertTrue(ends.all { button.text[it - 1].isWhitespace() }, "${button.text} is broken within a word")
            assertTrue(words.height <= button.height, "${button.text} is cut")
        }
        val headings = listOf(R.id.points_heading, R.id.actions_heading, R.id.transcript_heading, R.id.title, R.id.latest)
        for (heading in views.filter { it.id in headings && activity !is NotesActivity }) {
            assertTrue(heading.isAccessibilityHeading, (heading as TextView).text.toString())
        }
    }

    private fun isNamed(view: View): Boolean = !view.contentDescription.isNullOrEmpty() ||
        (view as? TextView)?.text?.isNotEmpty() == true ||
        (view as? ViewGroup)?.children().orEmpty().any(::isNamed)

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun people() = listOf(
            arrayOf<Any>("light", "en-rUS-w360dp-h720dp-notnight-xhdpi", 1f),
            arrayOf<Any>("dark", "en-rUS-w360dp-h720dp-night-xhdpi", 1f),
            arrayOf<Any>("large", "en-rUS-w360dp-h720dp-notnight-xhdpi", 2f),
            arrayOf<Any>("right-to-left", "iw-ldrtl-w360dp-h720dp-notnight-xhdpi", 1f),
            arrayOf<Any>("german", "de-rDE-w360dp-h720dp-notnight-xhdpi", 1f),
            arrayOf<Any>("spanish", "es-rES-w360dp-h720dp-notnight-xhdpi", 1f),
        )
    }
}

/** The app as it is after three notes, which the demo model has summarized. */
class AppWithNotes : SampleApp() {
    override fun onCreate() {
        NoteStore(File(noBackupFilesDir, "notes")).keep(notes) { emptySet() }
        super.onCreate()
    }

    override val learning by lazy { Learning({ Instant.ofEpochMilli(AT).atOffset(ZoneOffset.UTC) }) { Personal.open(this) } }

    private companion object {
        /** Monday, 23 November 2026, 09:12 in Greenwich. */
        const val AT = 1_795_425_120_000

        val notes by lazy {
            listOf("team-call", "clinic-move", "train-trip").mapIndexed { index, name ->
                summarized(
                    name,
                    AT - index * 95_000_000,
                )
            }
        }

        fun summarized(name: String, at: Long): KeptNote = runBlocking {
            val text = File("../notes/$name.txt").readText()
            val note = VoiceNote.transcript(text)
            demo().use { model ->
                val label = model.classify(text, Learning.LABELS)
                KeptNote(name, at, note.segments, model.summarize(note).await(), label.label.takeUnless { label.abstained })
            }
        }
    }
}
