package dev.sotto.store

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.File
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.createTempDirectory
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What a server can do wrong, [at] a byte of the model. */
private enum class Fault(val answer: Answer.(Request, ByteArray, at: Int) -> Unit) {
    DROP({ request, model, at ->
        if (request.from == 0) {
            whole(model.size, model.copyOf(at))
        } else if (request.from < model.size) {
            rest(request.from, model.size, model.copyOfRange(request.from, (request.from + 1)))
        }
    }),
    STALL({ _, model, at ->
        whole(model.size, model.copyOf(at))
        Thread.sleep(IMPATIENT.silence * 2L)
    }),
    CLOSE({ _, _, _ -> }),
    GARBAGE({ _, model, at -> out.write(model, 0, at.coerceAtMost(5_000)) }),
    BUSY({ _, _, _ -> reply("503 Service Unavailable", "Retry-After" to 0) }),
    BROKEN({ _, _, _ -> reply("500 Internal Server Error", body = "sorry".toByteArray()) }),
    FORBIDDEN({ _, _, _ -> reply("403 Forbidden") }),
    MISSING({ _, _, _ -> reply("404 Not Found") }),
    PAGE({ _, _, _ -> reply("200 OK", "Content-Type" to "text/html", "Content-Length" to 4, body = "page".toByteArray()) }),
    IGNORES_RANGE({ _, model, _ -> whole(model.size, model) }),
    UNKNOWN_RANGE({ _, model, _ -> reply("206 Partial Content", "Content-Length" to model.size, body = model) }),
    OTHER_RANGE({ _, model, at -> rest(at, model.size, model.copyOfRange(at, model.size)) }),
    SHIFTED_BYTES({ request, model, _ ->
        val from = request.from.coerceAtMost(model.size - 1)
        rest(from, model.size, model.copyOf(model.size - from))
    }),
    NOTHING({ _, _, at -> reply("416 Range Not Satisfiable", "Content-Range" to "bytes */$at") }),
    TOO_LONG({ _, model, at -> whole(model.size + at, model + model) }),
    TOO_SHORT({ _, model, at -> whole(at, model.copyOf(at)) }),
    CIRCLE({ request, _, _ -> reply("302 Found", "Location" to request.path) }),
    NOWHERE({ _, _, _ -> reply("302 Found", "Location" to "ftp://127.0.0.1/") }),
    OTHER_VERSION({ request, model, _ -> honest(request, ByteArray(model.size) { (model[it] + 1).toByte() }) }),
    FLIPPED_BYTE({ request, model, at -> honest(request, model.copyOf().also { it[at] = (it[at] + 1).toByte() }) }),
    ENDLESS({ _, model, at -> reply("200 OK", body = model.copyOf(at)) }),
}

/** `SOTTO_FAULTS=1000` makes more, `SOTTO_SEED` others. */
class FaultsTest {
    @Test
    fun `never a wrong model, and never a good one lost`() {
        val rounds = System.getenv("SOTTO_FAULTS")?.toInt() ?: 100
        val seed = System.getenv("SOTTO_SEED")?.toLong() ?: 0x5077_0026
        println("seed $seed")
        val random = Random(seed)
        repeat(rounds) { round(it, random) }
    }

    /** Replaces an old version by a new one, on a server that is faulty for a while. The download is cancelled, or its process killed. */
    private fun round(number: Int, random: Random): Unit = runBlocking(Dispatchers.Default) {
        val new = random.nextBytes(random.nextInt(1_000, 400_000))
        val old = random.nextBytes(random.nextInt(1_000, 400_000)).takeIf { random.nextBoolean() }
        val faults = List(random.nextInt(4)) { Fault.entries.random(random) to random.nextInt(1, new.size) }
        val said = "round $number: $faults"
        val count = AtomicInteger()
        var model = old ?: new
        val server = TestServer { request ->
            val fault = if (model === new) faults.getOrNull(count.getAndIncrement()) else null
            if (fault == null) honest(request, model) else fault.first.answer(this, request, model, fault.second)
        }
        val folder = createTempDirectory("sotto-store").toFile()
        try {
            val store = ModelStore(folder, TestConditions(), IMPATIENT)
            val source = ModelSource(server.url, sha256(new), new.size.toLong())
            if (old != null) store.install(ModelSource(server.url, sha256(old), old.size.toLong())).collect()
            model = new

            fun check(whenever: String): Boolean {
                val there = store.fileOf(source).takeIf(File::exists)?.readBytes()
                val isNew = there.contentEquals(new)
                assertTrue(isNew || there.contentEquals(old), "$said: wrong or lost $whenever")
                if (store.find(source) != null) assertTrue(isNew, "$said: a wrong one is found $whenever")
                return isNew
            }

            when (random.nextInt(40)) {
                0 -> killed(folder, source, random.nextLong(300, 900))

                in 1..15 -> {
                    val job = launch { runCatching { store.install(source).collect() } }
                    delay(random.nextLong(30))
                    job.cancelAndJoin()
                }
            }
            check("after an early end")
            val isInstalled = runCatching { store.install(source).last() }.isSuccess
            assertEquals(isInstalled, check("after faults"), said)
            repeat(4) { runCatching { store.install(source).collect() } }
            assertTrue(check("in the end"), said)
            val before = server.requests.size
            assertEquals(new.size.toLong(), store.install(source).awaitFile().length())
            assertEquals(before, server.requests.size, said)
        } finally {
            server.close()
            folder.deleteRecursively()
        }
    }

    /** Lets another process install the model, and kills it. */
    private fun killed(folder: File, source: ModelSource, after: Long) {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val arguments = listOf(folder.path, source.url, source.sha256, source.bytes.toString())
        val command = listOf(java, "-cp", System.getProperty("java.class.path"), "dev.sotto.store.ProcessToKillKt") + arguments
        val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
        process.waitFor(after, TimeUnit.MILLISECONDS)
        process.destroyForcibly().waitFor()
    }
}
