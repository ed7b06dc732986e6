package dev.sotto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaCallerTest {
    private static final File DEMO = new File("../sample-apps/demo-model/sotto-demo.gguf");

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    @Test
    void everythingFromJava() throws Exception {
        try (LocalModel model = get(SottoFutures.load(ModelFile.path(DEMO)))) {
            var snapshots = new ConcurrentLinkedQueue<NoteSummary>();
            try (Tokenizer tokenizer = get(SottoFutures.loadTokenizer(ModelFile.path(DEMO)))) {
                assertEquals(model.tokenCount("Buy milk."), tokenizer.encode("Buy milk.").size());
            }
            VoiceNote note = VoiceNote.text("Marcus will write a test by Thursday.");
            NoteSummary summary = get(SottoFutures.summarize(model, note, new SummaryOptions(), snapshots::add));
            assertEquals("Marcus", summary.getActions().get(0).getOwner());
            assertTrue(snapshots.size() > 3);

            try (NoteSession session = model.noteSession()) {
                session.append(new Segment(0, "Marcus will write a test by Thursday."));
                assertEquals(summary.getActions(), get(SottoFutures.finish(session)).getActions());
            }

            List<String> labels = List.of("urgent", "task", "ignorable");
            Classification label = get(SottoFutures.classify(model, "Buy milk.", labels));
            assertTrue(labels.contains(label.getLabel()));
            var seen = new ConcurrentLinkedQueue<TextResult<Classification>>();
            var texts = List.of("Buy milk.", "Sale!");
            double minimum = LocalModel.DEFAULT_MIN_CONFIDENCE;
            var all = get(SottoFutures.classifyAll(model, texts, labels, minimum, seen::add));
            assertEquals(all, List.copyOf(seen));
            assertEquals(List.of(2, label.getLabel()), List.of(all.size(), all.get(0).valueOrThrow().getLabel()));

            String schema = "{\"enum\": [\"yes\", \"no\"]}";
            assertTrue(List.of("\"yes\"", "\"no\"").contains(get(SottoFutures.extractJson(model, "yes", schema)).getValue()));

            try (ChatSession session = get(SottoFutures.session(model))) {
                var text = new StringBuffer();
                var options = new ChatOptions(8, Sampling.GREEDY);
                assertEquals(get(SottoFutures.respond(session, "Hello", options, text::append)).getText(), text.toString());
            }
            var history = List.of(new ChatTurn("Hello", "Hi."));
            try (ChatSession session = get(SottoFutures.resume(model, null, history))) {
                get(SottoFutures.prewarm(session));
                assertTrue(get(SottoFutures.respond(session, "And now?")).getMetrics().getReusedTokens() > 3);
            }
            assertEquals("llama", get(SottoFutures.inspect(model)).getArchitecture());
            assertEquals(FileKind.MODEL, get(SottoFutures.inspect(ModelFile.path(DEMO))).getKind());
        }
    }

    @Test
    void packingAndLoadingTellHowFarTheyAre(@TempDir File folder) throws Exception {
        var packed = new File(folder, "demo.sotto");
        var progress = new ConcurrentLinkedQueue<Progress>();
        get(SottoFutures.pack(DEMO, packed, progress::add));
        assertFalse(progress.isEmpty());
        progress.clear();
        var options = new LoadOptions(new File(folder, "models"));
        get(SottoFutures.load(ModelFile.path(DEMO), options, progress::add)).close();
        assertFalse(progress.isEmpty());
        get(SottoFutures.load(ModelFile.path(packed))).close();
    }

    @Test
    void errorsAreTheSame() {
        var missing = SottoFutures.load(ModelFile.path("/no/such/file"), new LoadOptions());
        var failure = assertThrows(ExecutionException.class, () -> get(missing));
        assertInstanceOf(SottoException.ModelNotFound.class, failure.getCause());
    }

    @Test
    void cancellingAFutureStopsItsWork() throws Exception {
        var wide = new File("../target/test-models/wide.gguf");
        try (LocalModel model = get(SottoFutures.load(ModelFile.path(wide)))) {
            var future = SottoFutures.classify(model, "word ".repeat(700), List.of("a", "b"));
            Thread.sleep(50);
            assertFalse(future.isDone());
            future.cancel(true);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
            while (!FixturesKt.runningJobs().isEmpty()) {
                assertTrue(System.nanoTime() < deadline, "native work goes on");
                Thread.sleep(1);
            }
        }
    }
}
