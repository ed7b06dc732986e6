// Apple's session accepts third-party models from version 27 of its systems on, whose SDKs come with Swift 6.4.
#if canImport(FoundationModels) && compiler(>=6.4)
    import Foundation
    import FoundationModels

    /// A Sotto model for Apple's `LanguageModelSession`.
    ///
    /// ```swift
    /// let session = LanguageModelSession(model: SottoLanguageModel(model), instructions: "Be brief.")
    /// let response = try await session.respond(to: "Hello")
    /// ```
    /// Guided generation follows its schema token by token. Tools, images and reasoning are not supported.
    @available(iOS 27, macOS 27, *)
    public struct SottoLanguageModel: LanguageModel {
        /// The model that answers.
        public let model: LocalModel

        /// A model for a `LanguageModelSession`.
        public init(_ model: LocalModel) {
            self.model = model
        }

        /// What the model can do.
        public var capabilities: LanguageModelCapabilities {
            LanguageModelCapabilities([.guidedGeneration])
        }

        /// The configuration that the framework creates an executor from.
        public var executorConfiguration: Executor.Configuration {
            Executor.Configuration(model: model)
        }

        /// Answers the requests of a session.
        public struct Executor: LanguageModelExecutor {
            /// The model, by its identity.
            public struct Configuration: Hashable, Sendable {
                let model: LocalModel

                /// Whether both are the same model.
                public static func == (one: Self, other: Self) -> Bool {
                    one.model === other.model
                }

                /// Hashes the identity.
                public func hash(into hasher: inout Hasher) {
                    hasher.combine(ObjectIdentifier(model))
                }
            }

            private let conversation: Conversation

            /// An executor for a model.
            public init(configuration: Configuration) throws {
                conversation = Conversation(configuration.model)
            }

            /// Reads what comes before the first question, in the background.
            public func prewarm(model: SottoLanguageModel, transcript: Transcript) {
                guard let said = try? Said(transcript) else { return }
                Task { [conversation] in
                    try? await conversation.prewarm(instructions: said.instructions, history: said.history)
                }
            }

            /// Streams an answer.
            public func respond(
                to request: LanguageModelExecutorGenerationRequest,
                model: SottoLanguageModel,
                streamingInto channel: LanguageModelExecutorGenerationChannel
            ) async throws {
                let exchange = try Said(request.transcript).exchange()
                let reply = try await conversation.answer(exchange, options: try ChatOptions(request)) { piece in
                    await channel.send(.response(action: .appendText(piece, tokenCount: 1)))
                }
                let metrics = reply.metrics
                await channel.send(
                    .response(
                        action: .updateUsage(
                            input: .init(
                                totalTokenCount: metrics.prefillTokens + metrics.reusedTokens,
                                cachedTokenCount: metrics.reusedTokens
                            ),
                            output: .init(totalTokenCount: metrics.decodeTokens, reasoningTokenCount: 0)
                        )
                    )
                )
            }
        }
    }

    /// Converts a transcript to Sotto's types.
    @available(iOS 27, macOS 27, *)
    private struct Said {
        var instructions: String?
        var history: [ChatTurn] = []
        var question: String?

        init(_ transcript: Transcript) throws {
            for entry in transcript {
                switch entry {
                case .instructions(let entry): instructions = try text(entry.segments)
                // A question without an answer was cancelled, and the next one takes its place.
                case .prompt(let entry): question = try text(entry.segments)
                case .response(let entry):
                    guard let asked = question else { continue }
                    history.append(ChatTurn(question: asked, answer: try text(entry.segments)))
                    question = nil
                default: throw SottoError.unsupported(what: "a transcript of more than questions and answers")
                }
            }
        }

        func exchange() throws -> Exchange {
            guard let question else { throw SottoError.invalidInput(what: "the transcript ends without a question") }
            return Exchange(instructions: instructions, history: history, question: question)
        }
    }

    @available(iOS 27, macOS 27, *)
    private func text(_ segments: [Transcript.Segment]) throws -> String {
        try segments.map { segment in
            switch segment {
            case .text(let text): text.content
            case .structure(let structure): structure.content.jsonString
            default: throw SottoError.unsupported(what: "a transcript of more than text")
            }
        }
        .joined(separator: "\n")
    }

    @available(iOS 27, macOS 27, *)
    extension ChatOptions {
        fileprivate init(_ request: LanguageModelExecutorGenerationRequest) throws {
            let asked = request.generationOptions
            self.init()
            maxTokens = asked.maximumResponseTokens ?? maxTokens
            if asked.samplingMode == .greedy {
                sampling = .greedy
            } else if let temperature = asked.temperature {
                sampling.temperature = Float(temperature)
            }
            if let schema = request.schema {
                format = .jsonSchema(String(decoding: try JSONEncoder().encode(schema), as: UTF8.self))
            }
        }
    }
#endif
