//! Sotto's own task formats (`docs/task-format.md`), and which models were trained on them.

use sotto_engine::GgufFile;

use crate::Error;

const TUNED_KEY: &str = "sotto.tuned";
const ACTION_BIAS_KEY: &str = "sotto.action_bias";
/// A larger bias would override the model.
const MOST_ACTION_BIAS: f32 = 100.0;

/// What the metadata of a model or an adapter says about Sotto's own task formats (`docs/task-format.md`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TaskTuning {
    /// Whether it was trained on them.
    pub tuned: bool,
    /// Added to the logits of another action wherever the list of actions could also end.
    pub action_bias: f32,
}

impl TaskTuning {
    /// # Errors
    /// [`Error::ModelInvalid`] for an invalid bias.
    pub(crate) fn of(gguf: &GgufFile) -> Result<Self, Error> {
        let action_bias = gguf.metadata().f32(ACTION_BIAS_KEY)?.unwrap_or(0.0);
        match (-MOST_ACTION_BIAS..=MOST_ACTION_BIAS).contains(&action_bias) {
            true => Ok(Self { tuned: is_tuned(gguf), action_bias }),
            false => Err(Error::ModelInvalid {
                why: format!("{action_bias} is outside {} to {MOST_ACTION_BIAS}", -MOST_ACTION_BIAS),
                at: format!("metadata key {ACTION_BIAS_KEY}"),
            }),
        }
    }
}

/// Whether a model or an adapter was trained on Sotto's own task formats.
pub(crate) fn is_tuned(gguf: &GgufFile) -> bool {
    gguf.metadata().bool(TUNED_KEY).ok().flatten().unwrap_or(false)
}
