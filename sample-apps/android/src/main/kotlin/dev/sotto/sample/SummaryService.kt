package dev.sotto.sample

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import android.os.PowerManager
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch

/** Keeps the app alive while it summarizes, whatever the person looks at; the work itself is the notebook's. */
class SummaryService : Service() {
    private val scope = MainScope()

    /** The phone sleeps when its screen is dark, and the work with it. */
    private val wakeLock by lazy {
        val lock = getSystemService(PowerManager::class.java).newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "sotto:summary")
        lock.apply { setReferenceCounted(false) }
    }

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        val app = application as SampleApp
        if (intent?.action == ACTION_CANCEL) app.notebook.cancel()
        showInForeground()
        wakeLock.acquire(LONGEST_SUMMARY)
        scope.launch {
            app.notebook.state.first { it.phase != Phase.SUMMARIZING }
            stopSelf(startId)
        }
        return START_NOT_STICKY
    }

    /** From Android 15 on, a day has so many hours of such work. The summary goes on as long as Android lets the app live. */
    override fun onTimeout(startId: Int, fgsType: Int) = stopSelf()

    override fun onDestroy() {
        scope.cancel()
        wakeLock.release()
        super.onDestroy()
    }

    private fun showInForeground() {
        val manager = getSystemService(NotificationManager::class.java)
        val name = getString(R.string.summarizing)
        manager.createNotificationChannel(NotificationChannel(CHANNEL, name, NotificationManager.IMPORTANCE_LOW))
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            startForeground(NOTIFICATION, notification(), ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC)
        } else {
            startForeground(NOTIFICATION, notification())
        }
    }

    private fun notification(): Notification {
        val open = Intent(this, NoteActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_SINGLE_TOP)
        val cancel = Intent(this, SummaryService::class.java).setAction(ACTION_CANCEL)
        val flags = PendingIntent.FLAG_IMMUTABLE
        val action = Notification.Action.Builder(
            null,
            getText(R.string.cancel),
            PendingIntent.getService(this, 0, cancel, flags),
        )
        return Notification.Builder(this, CHANNEL)
            .setSmallIcon(R.drawable.icon_note)
            .setContentTitle(getText(R.string.summarizing))
            .setContentIntent(PendingIntent.getActivity(this, 0, open, flags))
            .setProgress(0, 0, true)
            .addAction(action.build())
            .build()
    }

    companion object {
        private const val CHANNEL = "summary"
        private const val NOTIFICATION = 1

        /** In milliseconds: whatever goes wrong, the phone sleeps again after an hour. */
        private const val LONGEST_SUMMARY = 3_600_000L
        private const val ACTION_CANCEL = "dev.sotto.sample.CANCEL"

        /** To be called while a screen is shown: from the background, Android refuses, and the work goes on unprotected. */
        fun start(context: Context) {
            try {
                context.startForegroundService(Intent(context, SummaryService::class.java))
            } catch (_: IllegalStateException) {
                return
            }
        }
    }
}
