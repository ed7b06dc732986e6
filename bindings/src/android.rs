//! Logging on Android. `android/src/main/kotlin/dev/sotto/Native.kt` attaches the library's threads to the Java VM.

use std::ffi::c_void;

use android_logger::Config;
use jni_sys::{JNI_VERSION_1_6, JavaVM, jint};
use log::LevelFilter;

/// Called when Java loads the library. From then on, its log goes to logcat.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(_: *mut JavaVM, _: *mut c_void) -> jint {
    android_logger::init_once(Config::default().with_tag("sotto").with_max_level(LevelFilter::Info));
    JNI_VERSION_1_6
}
