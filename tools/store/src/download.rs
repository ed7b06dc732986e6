//! A download, from the look at what is there to the model in its place.

use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::files::{Files, Record, sha256};
use crate::http::{Client, Reply, RequestError, passing};
use crate::part::Part;
use crate::reply::Meaning;
use crate::{Hub, Installed, Patience, Source, StoreError};

const BUFFER: usize = 1 << 16;

/// As much as makes an attempt count as a success.
const PROGRESS: u64 = 1 << 20;

/// What a store is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Bytes are received.
    Downloading,
    /// Bytes are read again, and compared with their SHA-256.
    Verifying,
}

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// The bytes done.
    pub done: u64,
    /// All bytes, if the server has said how many.
    pub total: Option<u64>,
}

pub struct Download<'a, P> {
    source: &'a Source,
    hub: &'a Hub,
    files: &'a Files,
    patience: &'a Patience,
    on_progress: P,
}

/// Why an attempt has ended early.
enum Interruption {
    /// Another attempt may work, after this time or the usual one.
    Passing {
        why: String,
        wait: Option<Duration>,
    },
    Final(StoreError),
}

impl From<StoreError> for Interruption {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

impl<'a, P: FnMut(Progress)> Download<'a, P> {
    pub fn new(source: &'a Source, hub: &'a Hub, files: &'a Files, patience: &'a Patience, on_progress: P) -> Self {
        Self { source, hub, files, patience, on_progress }
    }

    pub fn run(mut self) -> Result<Installed, StoreError> {
        if let Some(installed) = self.find()? {
            return Ok(installed);
        }
        let client = Client::new(self.hub, self.patience.silence, self.source.sha256.is_some());
        let mut part = Part::open(self.files, self.source)?;
        let mut failures = 0;
        loop {
            let before = part.len();
            let interruption = match self.receive(&client, &mut part).and_then(|()| self.digest(&mut part)) {
                Ok(digest) => return self.install(part, digest),
                Err(Interruption::Final(error)) => return Err(error),
                Err(Interruption::Passing { why, wait }) => (why, wait),
            };
            failures = if part.len() >= before + PROGRESS { 1 } else { failures + 1 };
            self.wait(failures, interruption)?;
        }
    }

    /// The model, if it is there: as its record says, or as it must be. What is damaged is downloaded again.
    fn find(&mut self) -> Result<Option<Installed>, StoreError> {
        let record = Record::read(&self.files.record).filter(|record| self.source.allows(record));
        let wanted = record.as_ref().map(|record| &record.sha256).or(self.source.sha256.as_ref()).cloned();
        let Some(wanted) = wanted.filter(|_| self.files.model.is_file()) else { return Ok(None) };
        let bytes = self.files.model.metadata().map_err(StoreError::storage(&self.files.model))?.len();
        if record.as_ref().is_some_and(|record| record.bytes != bytes) || self.hash(&self.files.model, bytes)? != wanted
        {
            log::warn!("the model that is there is damaged or another, and is downloaded again");
            return Ok(None);
        }
        let verified = record.as_ref().is_none_or(|record| record.verified) || self.source.sha256.is_some();
        let found = Record { url: self.source.address(), bytes, sha256: wanted, verified };
        if record.as_ref() != Some(&found) {
            self.files.write_record(&found)?;
        }
        Ok(Some(self.installed(found, false)))
    }

    /// Receives what is missing, in one reply.
    fn receive(&mut self, client: &Client, part: &mut Part) -> Result<(), Interruption> {
        if part.is_complete() && part.origin.sha256.is_some() {
            return Ok(());
        }
        if !part.can_go_on() {
            part.clear()?;
        }
        let reply = client.get(&self.source.url, part.len(), part.origin.etag.as_deref());
        let Reply { response, hub } = reply.map_err(|error| self.refused(error))?;
        self.believe(part, hub.bytes, hub.sha256)?;
        match Meaning::of(response.status().as_u16(), response.headers()) {
            Meaning::Whole { bytes, etag } => {
                part.clear()?;
                self.expect(part, bytes, etag)?;
            }
            Meaning::Rest { from, bytes, etag } if from == part.len() && goes_on(part, bytes, etag.as_deref()) => {
                part.is_joined = true;
                self.expect(part, Some(bytes), etag)?;
            }
            Meaning::Rest { .. } => return Err(self.changed(part)?),
            Meaning::Nothing { bytes }
                if bytes == part.len() && part.origin.bytes.is_none_or(|known| known == bytes) =>
            {
                part.origin.bytes = Some(bytes);
                return Ok(());
            }
            Meaning::Nothing { .. } => return Err(self.changed(part)?),
            Meaning::NotFound => return Err(StoreError::NotFound { name: self.source.name.clone() }.into()),
            Meaning::Denied { status } => return Err(self.denied(status).into()),
            Meaning::Later { why, wait } => return Err(Interruption::Passing { why, wait }),
            Meaning::Never { why } => return Err(self.mismatch(why).into()),
        }
        self.copy(response.into_body().into_reader(), part)
    }

    /// Takes over what the hub says of the model. What it says otherwise than before is a new version.
    fn believe(&self, part: &mut Part, bytes: Option<u64>, sha256: Option<String>) -> Result<(), Interruption> {
        if self.source.sha256.is_some() && sha256.is_some() && sha256 != self.source.sha256 {
            return Err(self.mismatch("the hub has another SHA-256: check --sha256, or leave it out".into()).into());
        }
        let is_new = |known: Option<bool>| known == Some(false);
        let differs = is_new(part.origin.sha256.as_ref().zip(sha256.as_ref()).map(|(known, now)| known == now))
            || is_new(part.origin.bytes.zip(bytes).map(|(known, now)| known == now));
        if differs {
            return Err(self.changed(part)?);
        }
        part.origin.sha256 = part.origin.sha256.take().or(sha256);
        part.origin.bytes = part.origin.bytes.or(bytes);
        Ok(())
    }

    /// Prepares for the bytes of a reply: its size agrees with what is known, and there is space for it.
    fn expect(&self, part: &mut Part, bytes: Option<u64>, etag: Option<String>) -> Result<(), Interruption> {
        match (part.origin.bytes, bytes) {
            (Some(known), Some(now)) if known != now => return Err(self.changed(part)?),
            (None, None) if part.origin.sha256.is_none() => {
                let why = "the server does not say its size, so it could end anywhere: give its --sha256".into();
                return Err(self.mismatch(why).into());
            }
            _ => part.origin.bytes = part.origin.bytes.or(bytes),
        }
        part.origin.etag = etag;
        let needed = part.origin.bytes.map_or(0, |bytes| bytes - part.len());
        let free = fs4::available_space(self.files.folder()).map_err(StoreError::storage(self.files.folder()))?;
        if needed > free {
            return Err(StoreError::NoSpace { needed, free }.into());
        }
        Ok(part.write_origin()?)
    }

    fn copy(&mut self, mut body: impl Read, part: &mut Part) -> Result<(), Interruption> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Interruption::Passing { why: passing(&error.into()), wait: None }),
            };
            if count == 0 {
                break;
            }
            if part.origin.bytes.is_some_and(|bytes| part.len() + count as u64 > bytes) {
                return Err(self.changed(part)?);
            }
            part.append(&buffer[..count]).map_err(StoreError::storage(&self.files.part))?;
            self.report(Stage::Downloading, part.len(), part.origin.bytes);
        }
        match part.origin.bytes {
            Some(bytes) if part.len() < bytes => {
                Err(Interruption::Passing { why: "the server ended too early".into(), wait: None })
            }
            _ => Ok(()),
        }
    }

    /// The SHA-256 of what was received. If it is not what is expected, and the bytes came with several replies, these may be of
    /// two versions, or a server may have sent the wrong part; then all is downloaded again.
    fn digest(&mut self, part: &mut Part) -> Result<String, Interruption> {
        let digest = self.hash(&self.files.part, part.len())?;
        if part.origin.sha256.as_ref().is_none_or(|wanted| *wanted == digest) {
            return Ok(digest);
        }
        if part.is_joined {
            return Err(self.changed(part)?);
        }
        part.forget(self.source)?;
        let why = "its SHA-256 is another: check --sha256, or the file was changed on the server or on its way".into();
        Err(self.mismatch(why).into())
    }

    fn install(self, part: Part, digest: String) -> Result<Installed, StoreError> {
        let verified = part.origin.sha256.is_some();
        let record = Record { url: self.source.address(), bytes: part.len(), sha256: digest, verified };
        self.files.put_in_place(&record)?;
        Ok(self.installed(record, true))
    }

    /// Waits before the next attempt, unless there were too many.
    fn wait(&self, failures: u32, (why, asked): (String, Option<Duration>)) -> Result<(), StoreError> {
        let usual = self.patience.first_wait.saturating_mul(1 << (failures - 1).min(16));
        let wait = asked.unwrap_or_else(|| usual.min(self.patience.longest_wait));
        if failures >= self.patience.attempts || wait > self.patience.longest_wait {
            let why = match asked {
                Some(wait) => format!("{why}, and asks to wait for {} s", wait.as_secs()),
                None => why,
            };
            return Err(StoreError::Network { name: self.source.name.clone(), why });
        }
        thread::sleep(wait);
        Ok(())
    }

    /// Begins anew, because the server has another version than before.
    fn changed(&self, part: &mut Part) -> Result<Interruption, StoreError> {
        part.forget(self.source)?;
        Ok(Interruption::Passing { why: "the server does not stick to one version of the file".into(), wait: None })
    }

    fn refused(&self, error: RequestError) -> Interruption {
        match error {
            RequestError::Passing(why) => Interruption::Passing { why, wait: None },
            RequestError::Final(why) => self.mismatch(why).into(),
        }
    }

    fn denied(&self, status: u16) -> StoreError {
        let advice = match self.hub.has(&self.source.url) {
            true => "set HF_TOKEN, and accept the model's terms on its page".to_owned(),
            false => format!("it wants a login that Sotto does not have (status {status})"),
        };
        StoreError::Denied { name: self.source.name.clone(), advice }
    }

    fn mismatch(&self, why: String) -> StoreError {
        StoreError::Mismatch { name: self.source.name.clone(), why }
    }

    fn hash(&mut self, path: &Path, bytes: u64) -> Result<String, StoreError> {
        let stage = |done| self.report(Stage::Verifying, done, Some(bytes));
        sha256(path, stage).map_err(StoreError::storage(path))
    }

    fn report(&mut self, stage: Stage, done: u64, total: Option<u64>) {
        (self.on_progress)(Progress { stage, done, total });
    }

    fn installed(&self, record: Record, fetched: bool) -> Installed {
        let Record { bytes, sha256, verified, .. } = record;
        Installed { path: self.files.model.clone(), bytes, sha256, verified, fetched }
    }
}

/// Whether a reply continues the same version of the file.
fn goes_on(part: &Part, bytes: u64, etag: Option<&str>) -> bool {
    let same_size = part.origin.bytes.is_none_or(|known| known == bytes);
    let same_version = part.origin.etag.as_deref().zip(etag).is_none_or(|(known, now)| known == now);
    same_size && same_version && (part.origin.sha256.is_some() || etag.is_some() && part.origin.etag.as_deref() == etag)
}
