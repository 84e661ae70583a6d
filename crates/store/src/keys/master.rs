//! The master key: who holds it, how the others are wrapped by it, and its files.
//!
//! Each master has a public name ([`MasterId`]), which stands beside everything that it wraps, so
//! that the right one is found and a wrong one is told. **Invariant:** no step of a change of the
//! master leaves the folder without the key that the data needs: the next key is a file of its own
//! until the data is wrapped by it, and the one before stays as `master.key.old`. **Invariant:** no
//! old key is removed by the program: the one before `master.key.old` stays as
//! `master.key.old.NAME`, until a person put it away.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::NONCE_LEN;
use dancu_journal::commit::MacKey;
use hmac::{KeyInit as _, Mac as _};
use zeroize::Zeroizing;

use super::pkcs11::{self, Token};
use super::{SealKey, random};
use crate::error::{Error, Result};

/// Environment variable that holds the master key as 64 hex digits instead of the file.
pub const MASTER_KEY_VARIABLE: &str = "DANCU_MASTER_KEY";
/// Environment variable of the master key that is to follow, beside [`MASTER_KEY_VARIABLE`].
pub const MASTER_KEY_NEXT_VARIABLE: &str = "DANCU_MASTER_KEY_NEXT";
/// Name of the master key's file in the data folder.
pub const MASTER_KEY_FILE: &str = "master.key";
/// The master key that is to follow, until everything is wrapped by it.
pub const MASTER_KEY_NEXT_FILE: &str = "master.key.next";
/// The master key before the last change: backups of that time need it.
pub const MASTER_KEY_OLD_FILE: &str = "master.key.old";
/// Begins the file names of older master keys; their public name follows.
const OLDER: &str = "master.key.old.";
/// Ends the name of a key's file that is being written.
const DRAFT: &str = ".part";

/// The public name of a master key. It tells keys apart and says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MasterId(pub [u8; 8]);

impl fmt::Display for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl MasterId {
    /// From the 16 hex digits that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 8];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }
}

/// Who can wrap and unwrap keys: a key of 32 bytes in memory, or a device that never gives it away.
pub trait MasterHolder: Send + Sync {
    /// The key's public name.
    fn id(&self) -> MasterId;
    /// Where the key is, for people.
    fn place(&self) -> &str;
    /// Whether the key never leaves its device.
    fn is_device(&self) -> bool;
    /// Wraps a key under associated data: nonce ‖ ciphertext ‖ tag, 60 bytes.
    fn wrap(&self, aad: &[u8], key: &[u8; 32]) -> Result<Vec<u8>>;
    /// The wrapped key; an error where it was wrapped by another master or was changed.
    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>>;
}

/// A master key in memory, from a file or the environment.
pub struct LocalMaster {
    id: MasterId,
    place: String,
    seal: SealKey,
}

impl LocalMaster {
    /// From its bytes; `place` says where it came from.
    pub fn new(key: &[u8; 32], place: &str) -> Result<Self> {
        let mut mac = MacKey::new_from_slice(key).map_err(|_| Error::Crypto("key"))?;
        mac.update(b"dancu master id");
        let mut id = [0; 8];
        id.copy_from_slice(&mac.finalize().into_bytes()[..8]);
        Ok(Self { id: MasterId(id), place: place.to_owned(), seal: SealKey::new(key)? })
    }
}

impl MasterHolder for LocalMaster {
    fn id(&self) -> MasterId {
        self.id
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn is_device(&self) -> bool {
        false
    }

    fn wrap(&self, aad: &[u8], key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        self.seal.seal(nonce, aad, key)
    }

    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let mut buffer = Zeroizing::new(wrapped.to_vec());
        let plain = self.seal.open(aad, &mut buffer)?;
        let raw: [u8; 32] = plain.try_into().map_err(|_| Error::Crypto("unwrap"))?;
        Ok(Zeroizing::new(raw))
    }
}

/// Where master keys come from, besides the files of the data folder.
#[derive(Clone, Default)]
pub struct MasterSource {
    /// The key as 64 hex digits ([`MASTER_KEY_VARIABLE`]); the folder's files are then not read.
    pub environment: Option<String>,
    /// The key that is to follow it ([`MASTER_KEY_NEXT_VARIABLE`]).
    pub environment_next: Option<String>,
    /// A device with PKCS#11.
    pub token: Option<Token>,
}

/// A key in the environment and nothing else.
impl From<Option<String>> for MasterSource {
    fn from(environment: Option<String>) -> Self {
        Self { environment, ..Self::default() }
    }
}

/// The masters within reach of this process.
pub(crate) struct Masters {
    /// The data folder; none for a ring of tests, whose one master stands in `known`.
    dir: Option<PathBuf>,
    source: MasterSource,
    known: Vec<Arc<dyn MasterHolder>>,
}

impl Masters {
    /// One master and no folder.
    pub(crate) fn only(master: LocalMaster) -> Self {
        Self { dir: None, source: MasterSource::default(), known: vec![Arc::new(master)] }
    }

    /// Reads every master of a folder, the environment and the device. On the first run one is
    /// made; where there is data already none is: it would not open what is there.
    pub(crate) fn open(dir: &Path, source: &MasterSource, has_data: bool) -> Result<Self> {
        let (dir, source) = (Some(dir.to_owned()), source.clone());
        let mut masters = Self { dir, source, known: vec![] };
        masters.read_again()?;
        if !has_data && masters.first().is_none() {
            masters.make_first()?;
        }
        if masters.known.is_empty() {
            return Err(Error::MasterKey(format!(
                "có dữ liệu nhưng thiếu {MASTER_KEY_FILE} (there is data but no master key)"
            )));
        }
        for file in masters.dir.as_deref().map_or(Ok(vec![]), unnamed_files)? {
            tracing::warn!(file, "not the name of an old master key: the file is not read");
        }
        Ok(masters)
    }

    /// Reads again what there is: another node or a person may have put a key there.
    pub(crate) fn read_again(&mut self) -> Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let mut known: Vec<Arc<dyn MasterHolder>> = vec![];
        if let Some(token) = &self.source.token {
            known.extend(pkcs11::keys(token)?);
        }
        let next = self.source.environment_next.as_deref();
        if let Some(text) = self.source.environment.as_deref() {
            known.push(Arc::new(parse(text, MASTER_KEY_VARIABLE)?));
            if let Some(text) = next.filter(|text| !text.is_empty()) {
                known.push(Arc::new(parse(text, MASTER_KEY_NEXT_VARIABLE)?));
            }
        } else {
            let names = [MASTER_KEY_FILE, MASTER_KEY_NEXT_FILE].map(str::to_owned);
            for name in names.into_iter().chain(old_files(dir)?) {
                if let Some(found) = read_file(dir, &name)? {
                    known.push(Arc::new(found));
                }
            }
        }
        self.known = known;
        Ok(())
    }

    /// The master of a new folder: the device's, else the environment's, else the file's.
    pub(crate) fn first(&self) -> Option<Arc<dyn MasterHolder>> {
        let wanted = if self.source.token.is_some() {
            self.known.iter().find(|m| m.is_device())
        } else {
            self.known.first()
        };
        wanted.cloned()
    }

    /// A master by its name, looked for again where it is not known yet.
    pub(crate) fn by_id(&mut self, id: MasterId) -> Result<Arc<dyn MasterHolder>> {
        if let Some(found) = self.known.iter().find(|m| m.id() == id) {
            return Ok(found.clone());
        }
        self.read_again()?;
        self.known.iter().find(|m| m.id() == id).cloned().ok_or_else(|| self.missing(id))
    }

    /// Every master within reach: name, place and whether it is a device's.
    pub(crate) fn known(&self) -> &[Arc<dyn MasterHolder>] {
        &self.known
    }

    pub(crate) fn source(&self) -> &MasterSource {
        &self.source
    }

    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The folder's files agree with the master in force: a next key that is in force takes its
    /// place, and a file that a device followed is set aside. Returns whether files were moved.
    pub(crate) fn settle(&mut self, in_force: MasterId) -> Result<bool> {
        let Some(dir) = self.dir.clone() else { return Ok(false) };
        if self.source.environment.is_some() {
            return Ok(false);
        }
        let id_of = |name| read_file(&dir, name).map(|found| found.map(|m| m.id));
        let current = id_of(MASTER_KEY_FILE)?;
        if current == Some(in_force) {
            return Ok(false);
        }
        let next = id_of(MASTER_KEY_NEXT_FILE)? == Some(in_force);
        let device = self.known.iter().any(|m| m.is_device() && m.id() == in_force);
        let moves = next || (device && current.is_some());
        if !moves {
            return Ok(false);
        }
        if let Some(current) = current {
            set_aside(&dir, current)?;
        }
        if next {
            fs::rename(dir.join(MASTER_KEY_NEXT_FILE), dir.join(MASTER_KEY_FILE))?;
        } else {
            fs::remove_file(dir.join(MASTER_KEY_FILE))?;
        }
        sync(&dir)?;
        self.read_again()?;
        Ok(true)
    }

    /// Makes a new key in the device of the configuration.
    pub(crate) fn make_in_device(&mut self) -> Result<()> {
        let Some(token) = &self.source.token else {
            let text = "chưa cấu hình thiết bị: keys.module (no device configured)";
            return Err(Error::MasterKey(text.into()));
        };
        pkcs11::make(token)?;
        self.read_again()
    }

    fn make_first(&mut self) -> Result<()> {
        let Some(dir) = self.dir.clone() else { return Ok(()) };
        match &self.source.token {
            Some(token) => pkcs11::make(token)?,
            None => make_file(&dir, MASTER_KEY_FILE)?,
        }
        self.read_again()
    }

    /// What a person has to do where the data needs a master that is not here.
    fn missing(&self, id: MasterId) -> Error {
        let known: Vec<String> =
            self.known.iter().map(|m| format!("{} = {}", m.place(), m.id())).collect();
        let known = known.join(", ");
        Error::MasterKey(format!(
            "khóa chủ không mở được dữ liệu này: dữ liệu cần khóa có mã {id}, ở đây có: {known}. \
             Đặt đúng khóa vào {MASTER_KEY_FILE} hoặc {MASTER_KEY_NEXT_FILE} rồi chạy lại (wrong \
             master key: the data needs the one named {id}, found: {known})"
        ))
    }
}

/// Gives the present key the name of the old one, and the old one of before a name of its own. At
/// no moment is any of them without a name: each gets a second one for the same file first. Cut
/// off, it can be done again.
fn set_aside(dir: &Path, current: MasterId) -> Result<()> {
    let old = dir.join(MASTER_KEY_OLD_FILE);
    if let Some(before) = read_file(dir, MASTER_KEY_OLD_FILE)?.map(|m| m.id) {
        if before == current {
            return Ok(());
        }
        let older = dir.join(format!("{OLDER}{before}"));
        match fs::hard_link(&old, &older) {
            // Cut off after this step, or put back by a person: it has to be this key.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let there = read_file(dir, &format!("{OLDER}{before}"))?.map(|m| m.id);
                if there != Some(before) {
                    return Err(Error::MasterKey(format!(
                        "{} không phải khóa {before}: cất tệp đó đi nơi khác rồi chạy lại (this \
                         file holds another key: put it away, then run again)",
                        older.display()
                    )));
                }
            }
            linked => linked?,
        }
        sync(dir)?;
        fs::remove_file(&old)?;
    }
    fs::hard_link(dir.join(MASTER_KEY_FILE), &old)?;
    sync(dir)
}

/// Names of the files of old master keys in a folder, the newest first, then by name: backups that
/// were made under them need them, and nothing else does.
pub fn old_files(dir: &Path) -> Result<Vec<String>> {
    let mut older = names(dir, |name| old_name(name) == Some(true))?;
    if dir.join(MASTER_KEY_OLD_FILE).exists() {
        older.insert(0, MASTER_KEY_OLD_FILE.to_owned());
    }
    Ok(older)
}

/// Names of files that look like those of old master keys, but do not end with a key's public name:
/// copies that a person made. They are not read, so that none of them can refuse a start.
pub fn unnamed_files(dir: &Path) -> Result<Vec<String>> {
    names(dir, |name| old_name(name) == Some(false))
}

/// Whether a file that stands where old keys do has the public name of one; none for other files.
fn old_name(name: &str) -> Option<bool> {
    name.strip_prefix(OLDER).map(|id| MasterId::parse(id).is_some())
}

/// Removes what a process that was cut off left while it wrote a new key. Nothing was wrapped by
/// such a key, and it lies there in clear. Only the process that holds the folder may do so.
pub(crate) fn remove_drafts(dir: &Path) -> Result<()> {
    let drafts = [MASTER_KEY_FILE, MASTER_KEY_NEXT_FILE].map(|name| format!("{name}{DRAFT}"));
    for name in names(dir, |name| drafts.iter().any(|draft| draft == name))? {
        tracing::warn!(file = name, "a key that was not written to its end is removed");
        fs::remove_file(dir.join(name))?;
    }
    Ok(())
}

/// Names of files in a folder, sorted; none where there is no folder.
fn names(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let mut found = vec![];
    for entry in entries {
        found.extend(entry?.file_name().into_string().ok().filter(|name| wanted(name)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Makes the key that is to follow, unless it is there already: a run that was cut off is then
/// gone on with. Returns its name.
pub fn make_next(dir: &Path) -> Result<MasterId> {
    if read_file(dir, MASTER_KEY_NEXT_FILE)?.is_none() {
        make_file(dir, MASTER_KEY_NEXT_FILE)?;
    }
    let made = read_file(dir, MASTER_KEY_NEXT_FILE)?;
    made.map(|m| m.id).ok_or(Error::Crypto("master.key.next"))
}

/// The key of a file; none where there is no such file.
pub(crate) fn read_file(dir: &Path, name: &str) -> Result<Option<LocalMaster>> {
    let path = dir.join(name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == ErrorKind::InvalidData => Zeroizing::new("?".to_owned()),
        Err(e) => {
            return Err(Error::MasterKey(format!("không đọc được {name} (cannot be read): {e}")));
        }
    };
    if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
        return Err(Error::MasterKey(format!(
            "{name} phải có quyền 0600: chmod 600 {name} (must not be readable by others)"
        )));
    }
    parse(text.trim(), name).map(Some)
}

/// Writes a new random key, durable on return. It is complete under its name or not there at all.
fn make_file(dir: &Path, name: &str) -> Result<()> {
    let mut key = Zeroizing::new([0u8; 32]);
    random(&mut *key)?;
    let text = Zeroizing::new(hex::encode(*key) + "\n");
    let draft = dir.join(format!("{name}{DRAFT}"));
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // Not a rename: whatever stands under the name is never written over.
    let placed = fs::hard_link(&draft, dir.join(name));
    fs::remove_file(&draft)?;
    placed?;
    sync(dir)
}

fn sync(dir: &Path) -> Result<()> {
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}

fn parse(text: &str, from: &str) -> Result<LocalMaster> {
    let mut key = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(text, &mut *key).map_err(|_| {
        let n = text.chars().count();
        let what =
            if n == 64 { "có ký tự lạ (odd characters)" } else { "sai độ dài (length)" };
        Error::MasterKey(format!(
            "{from}: cần đúng 64 chữ số hex, {what}: {n} (64 hex digits expected). Lấy lại từ bản \
             cất giữ (put it back from where you keep its copy)"
        ))
    })?;
    LocalMaster::new(&key, from)
}
