package dev.sotto.sample

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ClipData
import android.content.ClipboardManager
import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.ServiceInfo
import android.graphics.Insets
import android.os.Bundle
import android.os.Looper
import android.speech.RecognitionService
import android.speech.SpeechRecognizer
import android.text.SpannedString
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.CheckBox
import android.widget.ListView
import android.widget.TextView
import android.widget.Toolbar
import dev.sotto.Personal
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
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** The screens, on Android's own classes and the real library. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "w360dp-h720dp-xhdpi")
class ScreensTest {
    private val app get() = RuntimeEnvironment.getApplication() as SampleApp

    private fun waitUntil(condition: NoteState.() -> Boolean) = app.waitUntil(condition)

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

    @After
    fun `end what is being done`() = app.dictation.cancel()

    @Test
    fun `a pasted note is summarized, and a tap shows where a point was said`() {
        val list = Robolectric.buildActivity(NotesActivity::class.java).setup().get()
        waitUntil { canListen }
        assertTrue(list.view<View>(R.id.empty).isVisible)
        app.getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(null, NOTE))
        list.view<View>(R.id.paste).performClick()
        waitUntil { canSummarize }
        assertEquals(NoteActivity::class.java.name, shadowOf(list).nextStartedActivity.component?.className)
        val screen = Robolectric.buildActivity(NoteActivity::class.java).setup().visible()
        val activity = screen.get()
        activity.view<View>(R.id.summarize).performClick()
        val summary = waitUntil { phase == Phase.IDLE && summary != null }.summary!!

        assertEquals(summary.title, activity.view<TextView>(R.id.title).text.toString())
        assertEquals(summary.points.size, activity.view<ViewGroup>(R.id.points).childCount)
        val rows = activity.view<ViewGroup>(R.id.actions)
        assertEquals(summary.actions.size, rows.childCount)
        val row = rows.children().first { "write a test" in it.findViewById<TextView>(R.id.text).text }
        assertContains(row.findViewById<View>(R.id.said).contentDescription.toString(), "To do: write a test")
        row.findViewById<View>(R.id.said).performClick()
        waitUntil { highlighted.isNotEmpty() }
        fun selected(from: Activity) = from.view<ViewGroup>(R.id.segments).children().filter { it.isSelected }
        val said = selected(activity).map { (it as TextView).text.toString() }
        assertEquals(listOf("Marcus will write a test for it by Thursday."), said)
        row.findViewById<View>(R.id.done).performClick()
        waitUntil { ticked.size == 1 }

        screen.recreate()
        shadowOf(Looper.getMainLooper()).idle()
        val rotated = screen.get()
        assertTrue(rotated !== activity)
        val again = rotated.view<ViewGroup>(R.id.actions).children()
        assertEquals(rows.childCount to 1, again.size to again.count { it.findViewById<CheckBox>(R.id.done).isChecked })
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
    fun `the list leads to each note, and a deleted one is gone from it`() {
        app.notebook.paste("Call Tom.")
        app.notebook.paste(NOTE)
        app.notebook.close()
        val activity = Robolectric.buildActivity(NotesActivity::class.java).setup().visible().get()
        val list = activity.view<ListView>(R.id.notes)
        fun titles() = list.children().mapNotNull { it.findViewById<TextView>(R.id.title)?.text?.toString() }
        assertEquals(listOf("Okay, short note after standup.", "Call Tom."), titles())
        assertFalse(activity.view<View>(R.id.empty).isVisible)
        list.performItemClick(list.getChildAt(2), 2, 0)
        val note = Robolectric.buildActivity(NoteActivity::class.java).setup().get()
        assertEquals("Call Tom.", waitUntil { id != null }.segments.single().text)

        shadowOf(note).clickMenuItem(R.id.delete)
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_NEGATIVE).performClick()
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals(2, app.notebook.state.value.notes.size)
        shadowOf(note).clickMenuItem(R.id.delete)
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        waitUntil { notes.size == 1 }
        assertTrue(note.isFinishing)
        assertEquals(listOf("Okay, short note after standup."), app.notebook.state.value.notes.map { it.titleWords })
        assertEquals(1, list.adapter.count - list.headerViewsCount)
    }

    @Test
    fun `a label is corrected by a tap, and what was learnt is listed and deleted`() {
        waitUntil { canListen }
        app.notebook.paste(NOTE)
        app.notebook.summarize()
        waitUntil { phase == Phase.IDLE && summary?.metrics != null }
        val note = Robolectric.buildActivity(NoteActivity::class.java).setup().visible().get()
        note.view<View>(R.id.label).performClick()
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(Learning.LABELS.indexOf("attention"))
        waitUntil { label == "attention" }
        shadowOf(note).clickMenuItem(R.id.more_like_this)
        waitUntil { wanted == true }

        val activity = Robolectric.buildActivity(KnowledgeActivity::class.java).setup().visible().get()
        fun records() = app.knowledge.state.value.records
        fun untilKnown(condition: () -> Boolean) = waitUntil { condition().also { if (!it) app.knowledge.refresh() } }
        untilKnown { records().map { it.payload::class }.toSet().size == 3 }
        val group = activity.view<ViewGroup>(R.id.groups).getChildAt(0)
        assertEquals("Labels that you corrected", group.findViewById<TextView>(R.id.heading).text)
        val row = group.findViewById<ViewGroup>(R.id.records).getChildAt(0)
        assertContains(row.findViewById<TextView>(R.id.text).text, "Worth a look: Okay, short note")
        row.performClick()
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        untilKnown { records().none { it.payload is Personal.Payload.Example } }
        assertEquals("1 entry was deleted.", activity.view<TextView>(R.id.message).text)

        activity.view<View>(R.id.learn).performClick()
        untilKnown { app.knowledge.state.value.isPaused }
        shadowOf(activity).clickMenuItem(R.id.delete_all)
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        untilKnown { records().isEmpty() }
        assertTrue(activity.view<View>(R.id.empty).isVisible)
    }

    @Test
    fun `a note is there again when Android has ended the app`() {
        app.notebook.paste(NOTE)
        val saved = Bundle()
        Robolectric.buildActivity(NoteActivity::class.java).setup().saveInstanceState(saved)
        app.notebook.close()
        val again = Robolectric.buildActivity(NoteActivity::class.java).create(saved).get()
        assertEquals(4, again.view<ViewGroup>(R.id.segments).childCount)
    }

    @Test
    fun `a summary is shared as text, with what is done`() {
        val activity = Robolectric.buildActivity(NoteActivity::class.java).setup().get()
        val menu = activity.view<Toolbar>(R.id.toolbar).menu
        shadowOf(Looper.getMainLooper()).idle()
        assertFalse(menu.findItem(R.id.share).isVisible, "there is no note yet")
        waitUntil { canListen }
        app.notebook.share(NOTE)
        val summary = waitUntil { phase == Phase.IDLE && summary != null }.summary!!
        app.notebook.tick(summary.actions.first().id)
        shadowOf(Looper.getMainLooper()).idle()
        shadowOf(activity).clickMenuItem(R.id.share)
        val started = generateSequence { shadowOf(activity).nextStartedActivity }
        val chooser = started.first { it.action == Intent.ACTION_CHOOSER }
        val text = chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)?.getStringExtra(Intent.EXTRA_TEXT)
        val action = summary.actions.first()
        assertContains(assertNotNull(text), "☑ ${action.text} (${action.detail})")
        assertTrue(text.startsWith(summary.title))
    }

    @Test
    fun `the content keeps clear of the bars of the system`() {
        for (screen in listOf(NotesActivity::class, NoteActivity::class, MetricsActivity::class)) {
            val activity = Robolectric.buildActivity(screen.java).setup().visible().get()
            val bars = WindowInsets.Builder()
                .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, 48, 0, 0))
                .setInsets(WindowInsets.Type.navigationBars(), Insets.of(0, 0, 0, 32))
                .setInsets(WindowInsets.Type.displayCutout(), Insets.of(20, 0, 0, 0))
            val content = activity.view<View>(R.id.screen)
            content.dispatchApplyWindowInsets(bars.build())
            val paddings = listOf(content.paddingLeft, content.paddingTop, content.paddingRight, content.paddingBottom)
            assertEquals(listOf(20, 48, 0, 32), paddings, screen.simpleName)
        }
    }

    @Test
    fun `a service that has used up its hours stops, and the summary goes on`() {
        waitUntil { canListen }
        app.notebook.share(List(12) { NOTE }.joinToString(" "))
        val service = Robolectric.buildService(SummaryService::class.java, Intent()).create().startCommand(0, 1).get()
        assertFalse(shadowOf(service).isStoppedBySelf)
        service.onTimeout(1, ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC)
        assertTrue(shadowOf(service).isStoppedBySelf)
        assertEquals(Phase.SUMMARIZING, app.notebook.state.value.phase)
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
    fun `the speeds are plotted`() {
        val empty = Robolectric.buildActivity(MetricsActivity::class.java).setup().get()
        assertTrue(empty.view<View>(R.id.empty).isVisible)
        assertFalse(empty.view<View>(R.id.plot_card).isVisible)
        waitUntil { canListen }
        app.notebook.paste(NOTE)
        repeat(2) {
            app.notebook.summarize()
            waitUntil { phase == Phase.IDLE && runs.size > it }
        }
        val activity = Robolectric.buildActivity(MetricsActivity::class.java).setup().visible().get()
        shadowOf(Looper.getMainLooper()).idle()
        val figures = activity.view<ViewGroup>(R.id.figures).children().map { it.findViewById<TextView>(R.id.value).text }
        assertEquals("${app.notebook.state.value.runs.last().decodeTokens} tokens", figures[3].toString())
        assertContains(activity.view<View>(R.id.plot).contentDescription.toString(), "2 summaries")
        val colors = activity.picture().colors()
        assertTrue(activity.getColor(R.color.accent) in colors && activity.getColor(R.color.second) in colors)
    }
}
