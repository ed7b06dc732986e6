//! Ctrl-C cancels what is running, instead of killing the program.

use std::sync::Mutex;

use sotto::CancelToken;

use crate::screen;

static RUNNING: Mutex<Option<CancelToken>> = Mutex::new(None);

/// Installs the handler, once. A Ctrl-C while nothing is running ends the program.
pub fn install() {
    let handler = || {
        let running = RUNNING.lock().ok().and_then(|mut running| running.take());
        match running {
            Some(token) => token.cancel(),
            None => std::process::exit(130),
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        screen::figures(&format!("Ctrl-C will end the program at once: {error}"));
    }
}

/// From now on Ctrl-C cancels `token`; a second Ctrl-C ends the program.
pub fn cancels(token: CancelToken) {
    if let Ok(mut running) = RUNNING.lock() {
        *running = Some(token);
    }
}

/// From now on Ctrl-C ends the program.
pub fn nothing_runs() {
    if let Ok(mut running) = RUNNING.lock() {
        *running = None;
    }
}
