//! Text to tokens and back: tokenizer, chat templates, sampling, output constraints.
