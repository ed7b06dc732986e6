//! What Android alone needs. Nothing here calls into the Java machine, so that no thread of the engine is attached to it.

use std::ffi::c_void;
use std::panic;

use android_logger::Config;
use jni_sys::{JNI_VERSION_1_6, JavaVM, jint};
use log::LevelFilter;

/// Called when Java loads the library: from then on, its log goes to logcat.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(_: *mut JavaVM, _: *mut c_void) -> jint {
    android_logger::init_once(Config::default().with_tag("sotto").with_max_level(LevelFilter::Info));
    panic::set_hook(Box::new(|panic| {
        // Not its message, which may hold the user's text.
        if let Some(place) = panic.location() {
            log::error!("a fault of the library at {place}: please report it");
        }
    }));
    JNI_VERSION_1_6
}
