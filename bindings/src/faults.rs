//! Reports panics by their location, without the message, which may contain the user's text.

use std::panic;
use std::sync::Once;

/// Installs this panic report. Each panic also becomes an error.
pub(crate) fn tell_places_only() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            if let Some(place) = panic.location() {
                tell(&format!("internal error at {place}: please report it"));
            }
        }));
    });
}

#[cfg(target_os = "android")]
fn tell(fault: &str) {
    log::error!("{fault}");
}

#[cfg(not(target_os = "android"))]
fn tell(fault: &str) {
    eprintln!("sotto: {fault}");
}
