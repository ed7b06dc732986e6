//! Sotto's own task formats (`docs/task-format.md`), and which models were trained on them.

use sotto_engine::GgufFile;

use crate::Error;

const TUNED_KEY: &str = "sotto.tuned";
const ACTION_BIAS_KEY: &str = "sotto.action_bias";
/// A larger bias would override the model.
const MOST_ACTION_BIAS: f32 = 100.0;
const WINDOW_KEY: &str = "sotto.window_tokens";
/// The window of a model that does not state one (measured in `docs/summaries.md`).
const WINDOW: u32 = 150;
const LEAST_WINDOW: u32 = 50;

/// What the metadata of a model or an adapter says about Sotto's own task formats (`docs/task-format.md`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TaskTuning {
    /// Whether it was trained on them.
    pub tuned: bool,
    /// Added to the logits of another action wherever the list of actions could also end.
    pub action_bias: f32,
    /// Tokens of a long note that a tuned model reads at once.
    pub window: usize,
}

impl TaskTuning {
    /// # Errors
    /// [`Error::ModelInvalid`] for an invalid bias or window.
    pub(crate) fn of(gguf: &GgufFile) -> Result<Self, Error> {
        let action_bias = gguf.metadata().f32(ACTION_BIAS_KEY)?.unwrap_or(0.0);
        let window = gguf.metadata().u32(WINDOW_KEY)?.unwrap_or(WINDOW);
        let invalid = |why: String, key: &str| Error::ModelInvalid { why, at: format!("metadata key {key}") };
        if !(-MOST_ACTION_BIAS..=MOST_ACTION_BIAS).contains(&action_bias) {
            let why = format!("{action_bias} is outside {} to {MOST_ACTION_BIAS}", -MOST_ACTION_BIAS);
            return Err(invalid(why, ACTION_BIAS_KEY));
        }
        if window < LEAST_WINDOW {
            return Err(invalid(format!("{window} is below {LEAST_WINDOW}"), WINDOW_KEY));
        }
        Ok(Self { tuned: is_tuned(gguf), action_bias, window: window as usize })
    }
}

/// Whether a model or an adapter was trained on Sotto's own task formats.
pub(crate) fn is_tuned(gguf: &GgufFile) -> bool {
    gguf.metadata().bool(TUNED_KEY).ok().flatten().unwrap_or(false)
}
