package dev.sotto

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotSame
import kotlin.test.assertSame

class SharedModelTest {
    @Test
    fun `it is loaded once, trimmed, and loaded again`() = test {
        val loads = AtomicInteger()
        SharedModel { demo().also { loads.incrementAndGet() } }.use { shared ->
            assertEquals(ModelState.NotLoaded, shared.state.value)
            val models = List(4) { async { shared.get() } }.awaitAll()
            assertEquals(1, models.toSet().size)
            assertSame(models[0], assertIs<ModelState.Ready>(shared.state.value).model)
            shared.trim()
            assertEquals(ModelState.Trimmed, shared.state.value)
            assertFailsWith<IllegalStateException> { models[0].classify("text", LABELS) }
            val again = shared.get()
            assertNotSame(models[0], again)
            assertEquals(2, loads.get())
            shared.close()
            assertFailsWith<IllegalStateException> { again.classify("text", LABELS) }
            assertFailsWith<IllegalStateException> { shared.get() }
        }
    }

    @Test
    fun `a screen sees how far it is, and what went wrong`(@TempDir folder: File) = test {
        val file = folder.resolve("model.gguf")
        val (first, goOn) = List(2) { CompletableDeferred<Unit>() }
        val options = LoadOptions(cacheFolder = folder.resolve("packed"))
        val shared = SharedModel { onProgress ->
            LocalModel.load(ModelFile.path(file), options) { progress ->
                onProgress(progress)
                first.complete(Unit)
                goOn.await()
            }
        }
        assertFailsWith<SottoException.ModelNotFound> { shared.get() }
        assertIs<SottoException.ModelNotFound>(assertIs<ModelState.Failed>(shared.state.value).error)
        DEMO_FILE.copyTo(file)
        val model = async { shared.get() }
        first.await()
        assertIs<Progress>(assertIs<ModelState.Loading>(shared.state.value).progress)
        goOn.complete(Unit)
        assertSame(model.await(), shared.state.filterIsInstance<ModelState.Ready>().first().model)
        shared.close()
    }

    @Test
    fun `who waits can be cancelled, and a load can be stopped`() = test {
        val begun = CompletableDeferred<Unit>()
        val shared = SharedModel {
            begun.complete(Unit)
            awaitCancellation()
        }
        val leaving = launch { shared.get() }
        val staying = async { runCatching { shared.get() } }
        begun.await()
        leaving.cancelAndJoin()
        assertEquals(ModelState.Loading(null), shared.state.value)
        shared.trim()
        assertIs<SottoException.Cancelled>(withTimeout(1000) { staying.await() }.exceptionOrNull())
        assertEquals(ModelState.Trimmed, shared.state.value)
    }
}
