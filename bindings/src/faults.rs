//! What is said of a panic: where it was, and not its message, which may hold the user's text.

use std::panic;
use std::sync::Once;

/// From now on, panics are told so. Each of them becomes an error, too.
pub(crate) fn tell_places_only() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            if let Some(place) = panic.location() {
                tell(&format!("a fault of the library at {place}: please report it"));
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
