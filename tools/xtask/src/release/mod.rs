//! What a release is made of: one version in every file, a bundle for Maven Central, a package for Swift. All of it can be rehearsed
//! without a server, a phone or a Mac.

mod consumers;
mod maven;
mod swift_package;
mod version;

use std::path::PathBuf;

use clap::Args;

use crate::android;
use crate::steps::root;
pub use version::VERSION;

/// What to do for a release: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Release {
    /// Write this version into every file that has one.
    #[arg(long, value_name = "VERSION")]
    set: Option<String>,
    /// Fail unless this tag, such as v1.2.3, names the version of every file.
    #[arg(long, value_name = "TAG")]
    check: Option<String>,
    /// Sign what `cargo xtask android` has made with the default key of gpg, and make the bundle for Maven Central from it.
    #[arg(long)]
    bundle: bool,
    /// Make the Swift package in target/release-swift, whose framework can be had at this address.
    #[arg(long, value_name = "URL")]
    swift: Option<String>,
    /// Make a bundle and a Swift package without native code for phones, check them, and compile the README's code against both.
    #[arg(long)]
    rehearse: bool,
}

impl Release {
    /// Does what was asked for.
    pub fn run(&self) -> Result<(), String> {
        match self {
            Self { set: Some(version), .. } => version::set(version),
            Self { check: Some(tag), .. } => version::check_tag(tag),
            Self { bundle: true, .. } => {
                maven::bundle(&root().join(android::REPOSITORY), maven::Key::Default).map(|_| ())
            }
            Self { swift: Some(url), .. } => swift_package::of_framework(url).map(|_| ()),
            _ => rehearse(),
        }
    }
}

/// Goes the way of a release, with a key that nobody trusts and a framework that nobody has built.
fn rehearse() -> Result<(), String> {
    version::check()?;
    let repository = folder().join("repository");
    android::package_without_libraries(&repository)?;
    let bundle = maven::bundle(&repository, maven::Key::ThrownAway)?;
    consumers::compile_kotlin(&bundle)?;
    let package = swift_package::rehearse()?;
    consumers::compile_swift(&package)
}

/// Where everything is rehearsed.
fn folder() -> PathBuf {
    root().join("target/release-rehearsal")
}
