/// What can go wrong between text and tokens. No variant carries text from a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The model file has no tokenizer, or one that contradicts itself.
    #[error("the tokenizer is invalid at {at}: {why}")]
    InvalidTokenizer { at: String, why: String },
    /// A tokenizer of a kind that is not supported.
    #[error("this model needs {what}, which is not supported")]
    Unsupported { what: String },
    /// The chat template does not parse, or refuses these messages.
    #[error("the chat template failed: {why}")]
    Template { why: String },
    /// The schema, grammar or list of choices cannot be used.
    #[error("the output constraint is invalid: {why}")]
    InvalidConstraint { why: String },
    /// Sampling settings outside their range.
    #[error("sampling setting {name} is out of range: {why}")]
    InvalidSampling { name: &'static str, why: String },
    /// A fault of this crate itself.
    #[error("internal error: {0}")]
    Internal(String),
}
