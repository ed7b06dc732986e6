use std::io::Write;

use sotto_store::{Hub, Installed, Progress, Source, Stage, Store, StoreError};

use super::print_json;
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::screen;

const BAR: &str = "{msg} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}";

pub fn run(arguments: &ModelArguments, source: &str, sha256: Option<&str>, json: bool) -> Result<(), Failure> {
    let hub = Hub::from_env()?;
    let source = Source::parse(source, sha256, &hub)?;
    let bar = screen::bar(BAR);
    let installed = store(arguments)?.install(&source, &hub, |Progress { stage, done, total }| {
        bar.set_message(match stage {
            Stage::Downloading => "downloading",
            Stage::Verifying => "verifying",
        });
        bar.set_length(total.unwrap_or(done));
        bar.set_position(done);
    });
    bar.finish_and_clear();
    print(&installed?, json)
}

fn print(Installed { path, bytes, sha256, verified, fetched }: &Installed, json: bool) -> Result<(), Failure> {
    let file = path.to_string_lossy();
    if json {
        return print_json(&serde_json::json!({
            "file": file, "bytes": bytes, "sha256": sha256, "verified": verified, "fetched": fetched,
        }));
    }
    let what = if *fetched { "downloaded" } else { "already there, unchanged" };
    screen::figures(&format!("{what}: {}, SHA-256 {sha256}", screen::bytes(*bytes)));
    if !verified {
        screen::figures(
            "nobody has said its SHA-256, so only its size was checked: compare it, or pull it with --sha256",
        );
    }
    Ok(writeln!(std::io::stdout(), "{}", screen::answer(&file))?)
}

/// These arguments, with the file of a model that `--model` names like `pull` does. A file of that name comes first.
pub fn with_pulled_model(arguments: &ModelArguments) -> Result<ModelArguments, Failure> {
    let mut arguments = arguments.clone();
    let name = arguments.model.as_ref().filter(|model| !model.exists()).and_then(|model| model.to_str());
    if let Some(name) = name.filter(|name| Source::is_on_hub(name)) {
        let (store, source) = (store(&arguments)?, Source::parse(name, None, &Hub::from_env()?)?);
        // If it is gone, there may be its packed copy.
        let found = store.find(&source).or_else(|| arguments.cache.is_some().then(|| store.path_of(&source)));
        arguments.model = Some(found.ok_or_else(|| Failure::NotPulled(name.to_owned()))?);
    }
    Ok(arguments)
}

fn store(arguments: &ModelArguments) -> Result<Store, Failure> {
    let folder = arguments.models.clone().or_else(Store::default_folder);
    let nowhere = || StoreError::InvalidSource { why: "say where to keep models: --models FOLDER".into() };
    Ok(Store::new(folder.ok_or_else(nowhere)?))
}
