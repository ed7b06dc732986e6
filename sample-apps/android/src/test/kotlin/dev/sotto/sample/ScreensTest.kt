package dev.sotto.sample

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ClipData
import android.content.ClipboardManager
import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Bundle
import android.os.Looper
import android.speech.RecognitionService
import android.speech.SpeechRecognizer
import android.text.SpannedString
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.After
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowAudioRecord
import org.robolectric.shadows.ShadowPowerManager
import org.robolectric.shadows.ShadowSpeechRecognizer
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** The screens, on Android's own classes and the real library. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], qualifiers = "w360dp-h720dp-xhdpi")
class ScreensTest {
    private val app get() = RuntimeEnvironment.getApplication() as SampleApp

    /** Lets the main thread do what it has to, until [condition] holds. */
    private fun waitUntil(condition: NoteState.() -> Boolean): NoteState {
        val end = System.nanoTime() + 60_000_000_000
        while (true) {
            shadowOf(Looper.getMainLooper()).idle()
            app.notebook.state.value.let { if (it.condition()) return it }
            check(System.nanoTime() < end) { "nothing happened: ${app.notebook.state.value.copy(segments = emptyList())}" }
            Thread.sleep(5)
        }
    }

    /** A microphone that nobody speaks to; the fake of Android's own has samples without end at once. */
    @Before
    fun quietMicrophone() = ShadowAudioRecord.setSourceProvider {
        object : ShadowAudioRecord.AudioRecordSource {
            override fun readInShortArray(array: ShortArray, offset: Int, size: Int, isBlocking: Boolean): Int {
                Thread.sleep(size * 1_000L / WavFile.RATE)
                return size
            }
        }
    }

    private fun <V : View> Activity.view(id: Int): V = assertNotNull(findViewById(id))

    private fun ViewGroup.texts() = (0 until childCount).map { getChildAt(it) as TextView }

    private fun Activity.picture(): Bitmap {
        val content = view<View>(android.R.id.content).rootView
        return Bitmap.createBitmap(content.width, content.height, Bitmap.Config.ARGB_8888).also { content.draw(Canvas(it)) }
    }

    private fun Bitmap.colors(): Set<Int> {
        val pixels = IntArray(width * height)
        getPixels(pixels, 0, width, 0, 0, width, height)
        return pixels.toSet()
    }

    private fun keep(picture: Bitmap, name: String) {
        val folder = System.getProperty("sotto.pictures")?.takeIf { it.isNotEmpty() } ?: return
        File(folder).mkdirs()
        File(folder, "$name.png").outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    @After
    fun `end what is being done`() = app.dictation.cancel()

    @Test
    fun `a pasted note is summarized, and a tap shows where a point was said`() {
        val screen = Robolectric.buildActivity(NoteActivity::class.java).setup().visible()
        val activity = screen.get()
        waitUntil { canListen }
        app.getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(null, NOTE))
        activity.view<View>(R.id.paste).performClick()
        waitUntil { canSummarize }
        activity.view<View>(R.id.summarize).performClick()
        val summary = waitUntil { phase == Phase.IDLE && summary != null }.summary!!

        assertEquals(summary.title, activity.view<TextView>(R.id.title).text.toString())
        val lines = activity.view<ViewGroup>(R.id.lines).texts()
        assertEquals(summary.lines().size, lines.size)
        val line = lines.first { "write a test" in it.text }
        assertContains(line.contentDescription.toString(), "To do: write a test")
        line.performClick()
        waitUntil { highlighted.isNotEmpty() }
        fun selected(from: Activity) = from.view<ViewGroup>(R.id.segments).texts().filter { it.isSelected }
        assertEquals(listOf("Marcus will write a test for it by Thursday."), selected(activity).map { it.text.toString() })
        keep(activity.picture(), "summary")

        screen.recreate()
        shadowOf(Looper.getMainLooper()).idle()
        val rotated = screen.get()
        assertTrue(rotated !== activity)
        assertEquals(lines.map { it.text.toString() }, rotated.view<ViewGroup>(R.id.lines).texts().map { it.text.toString() })
        assertEquals(1, selected(rotated).size)
        assertContains(rotated.picture().colors(), rotated.getColor(R.color.highlight))
    }

    @Test
    fun `a shared text is summarized in the foreground, once, however the phone is turned`() {
        // Long enough to be still at work whenever this thread gets to look.
        val text = SpannedString(List(12) { NOTE }.joinToString(" "))
        val shared = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
        val screen = Robolectric.buildActivity(NoteActivity::class.java, shared).setup()
        waitUntil { phase == Phase.SUMMARIZING }
        screen.newIntent(shared)
        waitUntil { trouble == Trouble.BUSY }
        assertEquals(SummaryService::class.java.name, shadowOf(app).nextStartedService.component?.className)
        val running = Robolectric.buildService(SummaryService::class.java, Intent()).create().startCommand(0, 1)
        val service = running.get()
        assertTrue(ShadowPowerManager.getLatestWakeLock().isHeld)
        val notification = assertNotNull(shadowOf(service).lastForegroundNotification)
        assertEquals("Cancel", notification.actions.single().title)
        screen.recreate()
        waitUntil { phase == Phase.IDLE && label != null }
        shadowOf(Looper.getMainLooper()).idle()
        assertTrue(shadowOf(service).isStoppedBySelf)
        running.destroy()
        assertFalse(ShadowPowerManager.getLatestWakeLock().isHeld)
        assertEquals(1, app.notebook.state.value.runs.size)
        val title = screen.get().view<TextView>(R.id.title)
        assertEquals(app.notebook.state.value.summary?.title, title.text.toString())
    }

    @Test
    fun `a note is spoken to the recognizer of the device`() {
        val activity = Robolectric.buildActivity(NoteActivity::class.java).setup().get()
        app.notebook.paste("Call Tom.")
        waitUntil { canListen }
        val record = activity.view<TextView>(R.id.record)
        record.performClick()
        assertEquals(Phase.IDLE, app.notebook.state.value.phase, "nobody has allowed it")
        // One that may use the network is no recognizer for this app.
        ShadowSpeechRecognizer.setIsOnDeviceRecognitionAvailable(false)
        val online = ComponentName("other.app", "other.app.OnlineRecognizer")
        shadowOf(app.packageManager).addServiceIfNotPresent(online)
        shadowOf(app.packageManager).addIntentFilterForService(online, IntentFilter(RecognitionService.SERVICE_INTERFACE))
        assertTrue(SpeechRecognizer.isRecognitionAvailable(app))
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        record.performClick()
        shadowOf(Looper.getMainLooper()).idle()
        val trouble = activity.view<TextView>(R.id.trouble)
        assertContains(trouble.text.toString(), "no speech recognition")
        assertEquals("Call Tom.", app.notebook.state.value.segments.single().text)
        trouble.performClick()

        ShadowSpeechRecognizer.setIsOnDeviceRecognitionAvailable(true)
        record.performClick()
        shadowOf(Looper.getMainLooper()).idle()
        val recognizer = shadowOf(ShadowSpeechRecognizer.getLatestSpeechRecognizer())
        recognizer.triggerOnPartialResults(recognized("Marcus will"))
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals("Marcus will", activity.view<TextView>(R.id.hearing).text.toString())
        recognizer.triggerOnResults(recognized("Marcus will write a test by Thursday."))
        recognizer.triggerOnError(SpeechRecognizer.ERROR_NO_MATCH)
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals("Finish", record.text.toString())
        record.performClick()
        recognizer.triggerOnResults(recognized("And buy milk."))
        val done = waitUntil { phase == Phase.IDLE && label != null }
        assertEquals("Marcus", done.summary?.actions?.firstOrNull()?.owner)
        assertEquals(2, activity.view<ViewGroup>(R.id.segments).childCount)
    }

    @Test
    fun `a spoken note is replaced only after a question, which outlives a turn of the phone`() {
        val screen = Robolectric.buildActivity(NoteActivity::class.java).setup()
        waitUntil { canListen }
        app.notebook.listen()
        app.notebook.heard(said("Call Tom."))
        app.notebook.cancel()
        app.getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(null, NOTE))

        fun answer(button: Int): NoteState {
            shadowOf(Looper.getMainLooper()).idle()
            val question = ShadowAlertDialog.getLatestAlertDialog()
            assertTrue(question.isShowing)
            question.getButton(button).performClick()
            return waitUntil { offered == null }
        }
        screen.get().view<View>(R.id.paste).performClick()
        assertEquals("Call Tom.", answer(AlertDialog.BUTTON_NEGATIVE).segments.single().text)
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        ShadowSpeechRecognizer.setIsOnDeviceRecognitionAvailable(true)
        screen.get().view<View>(R.id.record).performClick()
        assertEquals(Phase.LISTENING, answer(AlertDialog.BUTTON_POSITIVE).phase)
        shadowOf(ShadowSpeechRecognizer.getLatestSpeechRecognizer()).triggerOnResults(recognized("Call Ann."))
        screen.get().view<View>(R.id.summarize).performClick()
        assertEquals("Call Ann.", waitUntil { phase == Phase.IDLE }.segments.single().text)

        screen.get().view<View>(R.id.paste).performClick()
        waitUntil { offered != null }
        val before = ShadowAlertDialog.getLatestAlertDialog()
        screen.recreate()
        assertEquals(4, answer(AlertDialog.BUTTON_POSITIVE).segments.size)
        assertFalse(before.isShowing)
    }

    @Test
    fun `a picked file that is no model is told, and the model before is used again`() {
        waitUntil { canListen }
        Robolectric.setupContentProvider(OtherApp::class.java, OtherApp.NAME)
        app.useModel(OtherApp.uri("holiday.jpg"))
        val again = waitUntil { trouble != null && canListen }
        assertEquals(Trouble.MODEL_DAMAGED to ModelState.Ready("Demo model"), again.trouble to again.model)
    }

    @Test
    fun `a shared text file is read from the app that has it, and one that it has not is told of`() {
        Robolectric.setupContentProvider(OtherApp::class.java, OtherApp.NAME)
        fun shared(file: String) =
            Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_STREAM, OtherApp.uri(file))
        val screen = Robolectric.buildActivity(NoteActivity::class.java, shared("note.txt")).setup()
        waitUntil { segments.size == 4 && phase == Phase.IDLE && label != null }
        screen.newIntent(shared("gone.txt"))
        assertEquals(Trouble.FILE_UNREADABLE, waitUntil { trouble != null }.trouble)
        screen.newIntent(Intent(Intent.ACTION_SEND).setType("text/plain"))
        assertEquals(Trouble.NOTHING_TO_PASTE, waitUntil { trouble != Trouble.FILE_UNREADABLE }.trouble)
        assertEquals(4, app.notebook.state.value.segments.size)
    }

    @Test
    fun `a text is taken once, not again whenever the screen is opened from the recent apps`() {
        app.notebook.paste(NOTE)
        val again = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, "Buy milk.")
        again.addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        val screen = Robolectric.buildActivity(NoteActivity::class.java, again).setup()
        waitUntil { canListen }
        screen.newIntent(again)
        assertEquals(4, waitUntil { canListen }.segments.size)
    }

    private fun recognized(text: String) =
        Bundle().apply { putStringArrayList(SpeechRecognizer.RESULTS_RECOGNITION, arrayListOf(text)) }

    @Test
    fun `the speeds are plotted, by day and by night`() {
        val empty = Robolectric.buildActivity(MetricsActivity::class.java).setup().get()
        assertContains(empty.view<TextView>(R.id.figures).text.toString(), "Nothing has been summarized")
        app.notebook.paste(NOTE)
        repeat(3) {
            app.notebook.summarize()
            waitUntil { phase == Phase.IDLE && runs.size > it }
        }
        for (light in listOf("notnight", "night")) {
            RuntimeEnvironment.setQualifiers("+$light")
            val activity = Robolectric.buildActivity(MetricsActivity::class.java).setup().visible().get()
            shadowOf(Looper.getMainLooper()).idle()
            assertContains(activity.view<TextView>(R.id.figures).text.toString(), "tokens/s")
            assertContains(activity.view<View>(R.id.plot).contentDescription.toString(), "3 summaries")
            assertContains(activity.picture().colors(), activity.getColor(R.color.accent))
            keep(activity.picture(), "speed-$light")
        }
        val accents = listOf("notnight", "night").map { light ->
            RuntimeEnvironment.setQualifiers("+$light")
            app.getColor(R.color.accent)
        }
        assertEquals(2, accents.toSet().size)
    }
}
