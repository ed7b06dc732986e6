/// What can go wrong between text and tokens. No variant carries text from a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The model file has no tokenizer, or one that contradicts itself.
    #[error("the tokenizer is invalid at {at}: {why}")]
    InvalidTokenizer {
        /// Which entry of the metadata.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// A tokenizer of a kind that is not supported.
    #[error("not supported: {what}")]
    Unsupported {
        /// What it would take.
        what: String,
    },
    /// The chat template does not parse, or refuses these messages.
    #[error("the chat template failed: {why}")]
    Template {
        /// What went wrong, and where.
        why: String,
    },
    /// The schema, grammar or list of choices cannot be used.
    #[error("the output constraint is invalid: {why}")]
    InvalidConstraint {
        /// What is wrong with it.
        why: String,
    },
    /// A token was committed that the output constraint does not allow here.
    #[error("token {token} is not allowed by the output constraint")]
    NotAllowed {
        /// Its id.
        token: u32,
    },
    /// No token is possible: every logit is NaN, minus infinity or masked out.
    #[error("no token is possible here")]
    NoCandidate,
    /// Sampling settings outside their range.
    #[error("sampling setting {name} is out of range: {why}")]
    InvalidSampling {
        /// The setting.
        name: &'static str,
        /// The range it has to be in.
        why: String,
    },
    /// [`crate::TokenizerSpec::cancelled`] was set.
    #[error("cancelled")]
    Cancelled,
    /// An error in this crate itself.
    #[error("internal error: {0}")]
    Internal(String),
}
