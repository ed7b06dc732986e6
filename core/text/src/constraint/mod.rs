//! Constrains a model's output to a schema, a list of choices or a grammar.

mod calls;
mod fits;
mod mask;
mod schema;
mod spans;
mod token_env;

use std::collections::VecDeque;

use llguidance::api::TopLevelGrammar;
use llguidance::{JsonCompileOptions, Matcher, ParserFactory};
use serde_json::Value;
use toktrie::{InferenceCapabilities, TokEnv};

pub use self::calls::text_or_call_grammar;
pub use self::fits::fits_schema;
pub use self::mask::TokenMask;
pub use self::spans::spans_grammar;
use self::spans::spans_pattern;
use crate::{TextError, Tokenizer};

/// The required form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputFormat {
    /// One JSON value that fits the schema: keys in schema order, `", "` between items, `": "` after keys. What the
    /// schema leaves unbounded is limited: numbers to 15 digits and 6 decimals, strings to 1,000 characters, lists to
    /// 100 items, and recursion to five levels. Objects have only the named properties, unless `additionalProperties`
    /// allows more.
    JsonSchema(Value),
    /// The same, where every string that the schema leaves open is a run of consecutive pieces of one of these lines ([`spans_grammar`]
    /// cuts in the same way), a few words long. An open string of a long text may be anything.
    JsonSchemaOverText {
        /// The schema.
        schema: Value,
        /// The text's lines, cut into pieces with the space before them.
        lines: Vec<Vec<String>>,
    },
    /// Exactly one of these texts.
    Choice(Vec<String>),
    /// A match of this regular expression.
    Regex(String),
    /// A sentence of this grammar, in llguidance's dialect of Lark, beginning with the rule `start`.
    Lark(String),
}

/// Makes constraints for one tokenizer. Building it is expensive, so keep it.
pub struct ConstraintFactory {
    parsers: ParserFactory,
}

impl ConstraintFactory {
    /// Puts the vocabulary into a trie.
    ///
    /// # Errors
    /// [`TextError::Internal`] if the constraint engine rejects the vocabulary, which is an error in this crate.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self, TextError> {
        let env = token_env::token_env(tokenizer)?;
        let capabilities = InferenceCapabilities { ff_tokens: true, ..InferenceCapabilities::default() };
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut parsers = ParserFactory::new(&env, capabilities, &slices)
            .map_err(|_| TextError::Internal("the constraint engine refused the vocabulary".to_owned()))?;
        parsers.quiet();
        // Its verbose errors quote the grammar and the answer so far.
        parsers.limits_mut().verbose_errors = false;
        Ok(Self { parsers })
    }

    /// A constraint in its initial state.
    ///
    /// # Errors
    /// [`TextError::InvalidConstraint`] for an unsupported format; for a schema, with the property's path and what to
    /// change.
    pub fn constraint(&self, format: &OutputFormat) -> Result<Constraint, TextError> {
        let grammar = grammar(format)?;
        let matcher = Matcher::new(self.parsers.create_parser(grammar.clone()));
        if let Some(error) = matcher.get_error() {
            return Err(refused(format, &grammar, &error));
        }
        Ok(Constraint {
            matcher,
            vocabulary: self.parsers.tok_env().clone(),
            mask: None,
            ahead: VecDeque::new(),
            ended: false,
        })
    }
}

/// The state of an answer in its grammar.
pub struct Constraint {
    matcher: Matcher,
    vocabulary: TokEnv,
    /// The mask of the next token, once computed.
    mask: Option<TokenMask>,
    /// Tokens that may come, one after the other, each with the mask behind it.
    ahead: VecDeque<(u32, TokenMask)>,
    ended: bool,
}

impl Constraint {
    /// The allowed next tokens, including all end tokens if the answer may end here. Empty after an end token.
    ///
    /// # Errors
    /// [`TextError::InvalidConstraint`] if the grammar has become too complex.
    pub fn allowed(&mut self) -> Result<&TokenMask, TextError> {
        let mask = match self.mask.take() {
            Some(mask) => mask,
            None if self.ended => TokenMask::from_ids(0, []),
            None => TokenMask::from_bits(self.matcher.compute_mask_or_eos().map_err(|_| too_complex())?),
        };
        Ok(self.mask.insert(mask))
    }

    /// Looks ahead along `guesses` as long as they are allowed, without advancing, and returns how many are. It does
    /// not look past end tokens. The masks are kept in case the guesses come true.
    ///
    /// # Errors
    /// [`TextError::InvalidConstraint`] if the grammar has become too complex.
    pub fn look_ahead(&mut self, guesses: &[u32]) -> Result<usize, TextError> {
        self.allowed()?;
        self.ahead.clear();
        for &guess in guesses {
            let mask = self.ahead.back().map(|(_, mask)| mask).or(self.mask.as_ref());
            let ends = self.vocabulary.tok_trie().eos_tokens().contains(&guess);
            if ends || self.matcher.is_stopped() || !mask.is_some_and(|mask| mask.allows(guess)) {
                break;
            }
            self.matcher.consume_token(guess).map_err(|_| too_complex())?;
            let mask = self.matcher.compute_mask_or_eos().map_err(|_| too_complex())?;
            self.ahead.push_back((guess, TokenMask::from_bits(mask)));
        }
        self.matcher.rollback(self.ahead.len()).map_err(|_| too_complex())?;
        Ok(self.ahead.len())
    }

    /// The tokens that may come next, or behind any of the guesses that were looked along.
    ///
    /// # Errors
    /// [`TextError::InvalidConstraint`] if the grammar has become too complex.
    pub fn allowed_ahead(&mut self) -> Result<TokenMask, TextError> {
        let mut all = self.allowed()?.clone();
        self.ahead.iter().for_each(|(_, mask)| all.add(mask));
        Ok(all)
    }

    /// Advances by one token. An end token is accepted if the answer may end here, and ends it. After an error, the
    /// constraint is unchanged.
    ///
    /// # Errors
    /// [`TextError::NotAllowed`] for a token that is not allowed here, [`TextError::InvalidConstraint`] if the grammar
    /// has become too complex.
    pub fn commit(&mut self, token: u32) -> Result<(), TextError> {
        if self.ended || !self.allows(token)? {
            return Err(TextError::NotAllowed { token });
        }
        self.mask = match self.ahead.pop_front() {
            Some((guess, mask)) if guess == token => Some(mask),
            _ => {
                self.ahead.clear();
                None
            }
        };
        if self.vocabulary.tok_trie().eos_tokens().contains(&token) {
            self.ended = true;
            return Ok(());
        }
        self.matcher.consume_token(token).map_err(|_| too_complex())
    }

    /// Whether the token is allowed next. Trying one token is cheaper than computing a mask, so forced tokens are
    /// nearly free.
    ///
    /// A mask is not the last word: where the text is forced, it has the longest token alone, though shorter ones spell the same.
    fn allows(&mut self, token: u32) -> Result<bool, TextError> {
        if self.mask.as_ref().is_some_and(|mask| mask.allows(token)) {
            return Ok(true);
        }
        let trie = self.vocabulary.tok_trie();
        if trie.eos_tokens().contains(&token) {
            return Ok(self.may_stop());
        }
        if token as usize >= trie.vocab_size() || trie.token(token).is_empty() {
            return Ok(false);
        }
        self.matcher.validate_tokens(&[token]).map(|valid| valid == 1).map_err(|_| too_complex())
    }

    /// The forced next tokens, as the tokenizer would write them; empty if there is a choice. They are not committed
    /// yet.
    pub fn forced(&mut self) -> Vec<u32> {
        match self.is_finished() {
            true => Vec::new(),
            false => self.matcher.compute_ff_tokens(),
        }
    }

    /// Whether the answer may end here.
    pub fn may_stop(&mut self) -> bool {
        self.is_finished() || self.matcher.is_accepting().unwrap_or(false)
    }

    /// Whether only an end token can come next, or one has come.
    pub fn is_finished(&self) -> bool {
        self.ended || self.matcher.is_stopped()
    }
}

fn grammar(format: &OutputFormat) -> Result<TopLevelGrammar, TextError> {
    Ok(match format {
        OutputFormat::JsonSchema(schema) => json_grammar(schema, None)?,
        OutputFormat::JsonSchemaOverText { schema, lines } => json_grammar(schema, spans_pattern(lines))?,
        OutputFormat::Choice(choices) => TopLevelGrammar::from_lark(choice_grammar("start", choices)?),
        OutputFormat::Regex(expression) => TopLevelGrammar::from_regex(expression),
        OutputFormat::Lark(text) => TopLevelGrammar::from_lark(text.clone()),
    })
}

/// A Lark rule that matches exactly one of the choices.
fn choice_grammar(rule: &str, choices: &[String]) -> Result<String, TextError> {
    if choices.is_empty() || choices.iter().any(String::is_empty) {
        return Err(invalid("at least one choice is needed, and none may be empty"));
    }
    let alternatives: Vec<String> = choices.iter().map(|choice| Value::from(choice.as_str()).to_string()).collect();
    Ok(format!("{rule}: {}\n", alternatives.join(" | ")))
}

/// The separators are those of docs/task-format.md: white space that a model cannot choose costs no tokens.
fn json_grammar(schema: &Value, open_strings: Option<String>) -> Result<TopLevelGrammar, TextError> {
    let mut schema = schema::bounded(schema, open_strings.as_deref())?;
    json_options().apply_to(&mut schema);
    Ok(TopLevelGrammar::from_json_schema(schema))
}

fn json_options() -> JsonCompileOptions {
    JsonCompileOptions {
        item_separator: ", ".to_owned(),
        key_separator: ": ".to_owned(),
        whitespace_flexible: false,
        ..JsonCompileOptions::default()
    }
}

fn invalid(why: &str) -> TextError {
    TextError::InvalidConstraint { why: why.to_owned() }
}

/// A schema is the app's own, so the engine's words about it may be passed on; a grammar can hold a user's note.
fn refused(format: &OutputFormat, grammar: &TopLevelGrammar, error: &str) -> TextError {
    match format {
        OutputFormat::JsonSchema(_) | OutputFormat::JsonSchemaOverText { .. } => {
            let schema = grammar.grammars.iter().find_map(|grammar| grammar.json_schema.as_ref());
            schema::with_place(schema.unwrap_or(&Value::Null), &json_options(), error)
        }
        OutputFormat::Choice(_) => invalid("the choices cannot be used"),
        OutputFormat::Regex(_) => invalid("the regular expression cannot be used"),
        OutputFormat::Lark(_) => invalid("the grammar cannot be used"),
    }
}

fn too_complex() -> TextError {
    invalid("it became too complex")
}
