package dev.sotto

import java.io.File
import java.util.concurrent.CompletableFuture
import java.util.function.Consumer

/** Styles and training for Java, with futures as in [SottoFutures]. */
public object PersonalFutures {
    /** [LocalModel.tune]; [onProgress] reports the progress. */
    @JvmStatic
    @JvmOverloads
    public fun tune(
        model: LocalModel,
        texts: List<String>,
        target: File,
        options: TuneOptions = TuneOptions(),
        onProgress: Consumer<TuneProgress> = Consumer {},
    ): CompletableFuture<TuneReport> = SottoFutures.run(model.tune(texts, target, options), onProgress)

    /** [LocalModel.rewrite]; [onText] receives the text piece by piece. */
    @JvmStatic
    @JvmOverloads
    public fun rewrite(
        model: LocalModel,
        text: String,
        style: StyleProfile,
        options: ChatOptions = ChatOptions(),
        onText: Consumer<String> = Consumer {},
    ): CompletableFuture<ChatReply> = SottoFutures.run(model.rewrite(text, style, options), onText)
}
