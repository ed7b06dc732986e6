package dev.sotto.store

import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

class ModelStoreTest {
    @TempDir
    lateinit var folder: File

    private val model = Random(1).nextBytes(200_000)
    private val conditions = TestConditions()
    private val store by lazy { ModelStore(folder, conditions, IMPATIENT) }

    private fun source(server: TestServer, bytes: ByteArray = model) =
        ModelSource(server.url, sha256(bytes), bytes.size.toLong(), "Apache-2.0")

    @Test
    fun `a model is fetched once, listed and removed`(): Unit = runBlocking {
        TestServer { honest(it, model) }.use { server ->
            val source = source(server)
            assertNull(store.find(source))
            val states = store.install(source).toList()
            val installed = assertIs<InstallState.Installed>(states.last())
            assertTrue(installed.fetched)
            assertContentEquals(model, installed.file.readBytes())
            assertEquals(installed.file, store.find(source))
            assertEquals(installed.file, store.fileOf(source))
            assertEquals(false, assertIs<InstallState.Installed>(store.install(source).last()).fetched)
            assertEquals(1, server.requests.size)
            val listed = store.installed().single()
            assertEquals(listOf(installed.file, source.sha256, "Apache-2.0"), listed.run { listOf(file, sha256, license) })
            assertEquals(
                listOf(".model.gguf.json", ".model.gguf.lock", "model.gguf"),
                installed.file.parentFile.list()!!.sorted(),
            )
            store.remove(source)
            assertEquals(emptyList(), store.installed())
            assertNull(store.find(source))
        }
    }

    @Test
    fun `an interrupted download goes on from where it was`(): Unit = runBlocking {
        val count = AtomicInteger()
        TestServer {
            if (count.getAndIncrement() ==
                0
            ) {
                whole(model.size, model.copyOf(150_000))
            } else {
                honest(it, model)
            }
        }.use { server ->
            assertContentEquals(model, store.install(source(server)).awaitFile().readBytes())
            assertEquals(listOf(0, 150_000), server.requests.map { it.from })
        }
    }

    @Test
    fun `a cancelled download stops at once, even when the server is silent, and goes on later`(): Unit = runBlocking {
        val count = AtomicInteger()
        val patient = ModelStore(folder, conditions, Patience())
        TestServer {
            if (count.getAndIncrement() == 0) {
                whole(model.size, model.copyOf(100_000))
                Thread.sleep(20_000)
            } else {
                honest(it, model)
            }
        }.use { server ->
            val job = launch { patient.install(source(server)).collect {} }
            while (File(store.fileOf(source(server)).parentFile, ".model.gguf.part").length() <
                100_000
            ) {
                kotlinx.coroutines.delay(10)
            }
            assertFailsWith<StoreException.InUse> { patient.install(source(server)).collect() }
            val start = TimeSource.Monotonic.markNow()
            job.cancelAndJoin()
            assertTrue(start.elapsedNow() < 5.seconds)
            assertContentEquals(model, patient.install(source(server)).awaitFile().readBytes())
            assertEquals(100_000, server.requests.last().from)
        }
    }

    @Test
    fun `metered networks and full disks are refused before the first byte`(): Unit = runBlocking {
        TestServer { honest(it, model) }.use { server ->
            conditions.metered = true
            assertEquals(200_000, assertFailsWith<StoreException.Metered> { store.install(source(server)).collect() }.bytes)
            conditions.free = 199_999
            assertEquals(199_999, assertFailsWith<StoreException.NoSpace> { store.install(source(server)).collect() }.free)
            assertEquals(0, server.requests.size)
            conditions.free = 200_000
            store.install(source(server), allowMetered = true).awaitFile()
            assertIs<InstallState.Installed>(store.install(source(server)).first { it is InstallState.Installed })
        }
    }

    @Test
    fun `what is wrong is not installed, and the old version stays`(): Unit = runBlocking {
        val other = Random(2).nextBytes(200_000)
        TestServer { honest(it, model) }.use { server ->
            val old = store.install(source(server)).awaitFile()
            val error = assertFailsWith<StoreException.Mismatch> { store.install(source(server, other)).collect() }
            assertTrue("SHA-256" in error.why)
            assertContentEquals(model, old.readBytes())
            assertEquals(old, store.find(source(server)))
            assertNull(store.find(source(server, other)))
            old.writeBytes(other)
            assertContentEquals(model, store.install(source(server)).awaitFile().readBytes(), "damaged, so fetched again")
        }
    }

    @Test
    fun `refusals are not repeated, and errors have no secrets`(): Unit = runBlocking {
        val status = AtomicInteger(404)
        TestServer { reply("${status.get()} Status", "Retry-After" to 3600) }.use { server ->
            suspend fun error() = assertFailsWith<StoreException> {
                store.install(ModelSource("${server.url}?key=secret", sha256(model), 1)).collect()
            }.also { assertTrue("secret" !in it.message!!) }
            assertIs<StoreException.NotFound>(error())
            status.set(403)
            assertIs<StoreException.Denied>(error())
            status.set(429)
            assertIs<StoreException.Network>(error())
            assertEquals(3, server.requests.size)
        }
    }

    @Test
    fun `redirects are followed, but not from TLS or the device into the open`(): Unit = runBlocking {
        TestServer { honest(it, model) }.use { storage ->
            TestServer { reply("302 Found", "Location" to storage.url) }.use { server ->
                assertContentEquals(model, store.install(source(server)).awaitFile().readBytes())
            }
        }
        TestServer { reply("302 Found", "Location" to "http://models.example/model.gguf") }.use { server ->
            assertFailsWith<StoreException.Mismatch> { store.install(source(server)).collect() }
        }
        TestServer { reply("302 Found", "Location" to it.path) }.use { server ->
            assertFailsWith<StoreException.Network> { store.install(source(server)).collect() }
        }
    }

    @Test
    fun `addresses have places within the folder, and passwords are refused`() {
        fun place(url: String) = ModelSource(url, "0".repeat(64), 1).place.joinToString("/")
        val hub = "huggingface.co/owner/repo/resolve/main/a.gguf"
        assertEquals(hub, place("https://$hub?download=true"))
        assertEquals("models.example,8443/x%20y.gguf", place("https://models.example:8443/x%20y.gguf"))
        for (url in listOf(
            "", "a.gguf", "ftp://a.example/b", "http://a.example/b", "https://a.example/", "https://a.example/.b",
            "https://a.example/../../etc/passwd", "https://user:password@a.example/b", "https://a.example/b//c",
        )) {
            assertFailsWith<StoreException.InvalidSource>(url) { place(url) }
        }
        assertFailsWith<StoreException.InvalidSource> { ModelSource("https://a.example/b", "12", 1) }
    }
}
