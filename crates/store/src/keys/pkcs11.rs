//! A master key that never leaves its device: PKCS#11, AES-256 with CKM_AES_GCM.
//!
//! **Invariant:** the key is made in the device, sensitive and not extractable; this process holds
//! a session and the PIN, never the key. **Invariant:** a PIN that the device refused is not tried
//! again by the same process: devices lock themselves after a few wrong ones.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Failure, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::master::{MasterHolder, MasterId};
use super::random;
use crate::error::{Error, Result};

/// Bits of the tag that AES-GCM appends, as everywhere else in the store.
const TAG_BITS: u64 = 128;
/// Bytes of the CKA_ID that a key made here gets.
const KEY_ID_BYTES: usize = 16;

/// How the device is reached and which keys of it are ours.
#[derive(Clone)]
pub struct Token {
    /// The vendor's library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the keys (CKA_LABEL); each is told by its CKA_ID.
    pub label: String,
    /// PIN of the token's user.
    pub pin: Zeroizing<String>,
}

/// The PIN is not shown.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, token, label, .. } = self;
        write!(f, "Token {{ {}, {token}, {label} }}", module.display())
    }
}

/// A key of the device.
struct TokenKey {
    id: MasterId,
    place: String,
    /// CKA_ID.
    key_id: Vec<u8>,
    link: Arc<Link>,
}

/// The way to the device, opened anew after a failure.
struct Link {
    token: Token,
    session: Mutex<Option<Session>>,
}

/// Every key with the label.
pub(crate) fn keys(token: &Token) -> Result<Vec<Arc<dyn MasterHolder>>> {
    let link = Arc::new(Link { token: token.clone(), session: Mutex::default() });
    let ids = link.with(|session| {
        let found = session.find_objects(&template(&token.label, None))?;
        let ids = found.into_iter().map(|key| {
            let attributes = session.get_attributes(key, &[AttributeType::Id])?;
            Ok(attributes.into_iter().find_map(|a| match a {
                Attribute::Id(id) => Some(id),
                _ => None,
            }))
        });
        ids.collect::<Result<Vec<_>, Failure>>()
    })?;
    let mut keys: Vec<Arc<dyn MasterHolder>> = vec![];
    for key_id in ids.into_iter().flatten().filter(|id| !id.is_empty()) {
        let named = [b"dancu token master id", &key_id[..]].concat();
        let mut id = [0; 8];
        id.copy_from_slice(&digest(&SHA256, &named).as_ref()[..8]);
        let place = format!("PKCS#11 {}/{}", token.token, token.label);
        keys.push(Arc::new(TokenKey { id: MasterId(id), place, key_id, link: link.clone() }));
    }
    Ok(keys)
}

/// Makes a new key in the device: AES-256, sensitive, never extractable.
pub(crate) fn make(token: &Token) -> Result<()> {
    let mut id = [0; KEY_ID_BYTES];
    random(&mut id)?;
    let link = Link { token: token.clone(), session: Mutex::default() };
    link.with(|session| {
        let mut wanted = template(&token.label, Some(&id));
        wanted.extend([
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ]);
        session.generate_key(&Mechanism::AesKeyGen, &wanted).map(drop)
    })
}

fn template(label: &str, key_id: Option<&[u8]>) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    template.extend(key_id.map(|id| Attribute::Id(id.to_vec())));
    template
}

impl MasterHolder for TokenKey {
    fn id(&self) -> MasterId {
        self.id
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn is_device(&self) -> bool {
        true
    }

    fn wrap(&self, aad: &[u8], key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let sealed = self.link.with(|session| {
            let object = self.object(session)?;
            let params = GcmParams::new(&mut nonce, aad, TAG_BITS.into())?;
            session.encrypt(&Mechanism::AesGcm(params), object, key)
        })?;
        // The device may have chosen a nonce of its own and written it here.
        Ok([&nonce[..], &sealed].concat())
    }

    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let (nonce, sealed) =
            wrapped.split_first_chunk::<NONCE_LEN>().ok_or(Error::Crypto("unwrap"))?;
        let mut nonce = *nonce;
        let plain = Zeroizing::new(self.link.with(|session| {
            let object = self.object(session)?;
            let params = GcmParams::new(&mut nonce, aad, TAG_BITS.into())?;
            session.decrypt(&Mechanism::AesGcm(params), object, sealed)
        })?);
        let raw: [u8; 32] = plain[..].try_into().map_err(|_| Error::Crypto("unwrap"))?;
        Ok(Zeroizing::new(raw))
    }
}

impl TokenKey {
    fn object(&self, session: &Session) -> Result<ObjectHandle, Failure> {
        let found = session.find_objects(&template(&self.link.token.label, Some(&self.key_id)))?;
        found.into_iter().next().ok_or(Failure::Pkcs11(
            RvError::KeyHandleInvalid,
            cryptoki::context::Function::FindObjects,
        ))
    }
}

impl Link {
    /// Runs steps in a session; where it was lost, once more in a new one.
    fn with<T>(&self, mut steps: impl FnMut(&Session) -> Result<T, Failure>) -> Result<T> {
        let mut held = self.session.lock();
        if let Some(session) = held.take()
            && let Ok(done) = steps(&session)
        {
            *held = Some(session);
            return Ok(done);
        }
        let session = self.connect()?;
        let done = steps(&session).map_err(|e| self.failed(&e))?;
        *held = Some(session);
        Ok(done)
    }

    fn connect(&self) -> Result<Session> {
        let token = &self.token;
        let refused = refused_pins();
        if refused.lock().contains(&pin_digest(token)) {
            return Err(self.failed(&Failure::Pkcs11(
                RvError::PinIncorrect,
                cryptoki::context::Function::Login,
            )));
        }
        let library = library(token)?;
        let slots = library.get_slots_with_initialized_token().map_err(|e| self.failed(&e))?;
        let slot = slots.into_iter().find(|slot| {
            library.get_token_info(*slot).is_ok_and(|info| info.label().trim_end() == token.token)
        });
        let slot = slot.ok_or_else(|| {
            let name = &token.token;
            Error::MasterKey(format!(
                "thiết bị không có token tên {name} (no token named {name}): keys.token"
            ))
        })?;
        let session = library.open_rw_session(slot).map_err(|e| self.failed(&e))?;
        let pin = AuthPin::new(token.pin.as_str().into());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Failure::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => {
                let failed = self.failed(&error);
                if matches!(failed, Error::Pin(_)) {
                    refused.lock().insert(pin_digest(token));
                }
                Err(failed)
            }
        }
    }

    fn failed(&self, error: &Failure) -> Error {
        let pin = |why: &str| Error::Pin(format!("PKCS#11 {}: {why}", self.token.token));
        let why = match error {
            Failure::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            ) => {
                return pin(
                    "PIN sai (wrong PIN): sửa keys.pinFile hoặc DANCU_MASTER_PIN trước khi chạy \
                     lại, thiết bị tự khóa sau vài lần sai (mend it before another start: devices \
                     lock after a few wrong ones)",
                );
            }
            Failure::Pkcs11(RvError::PinLocked, _) => {
                return pin(
                    "PIN đã bị khóa (PIN locked): mở khóa bằng công cụ của hãng (unlock it)",
                );
            }
            Failure::Pkcs11(RvError::PinExpired, _) => {
                return pin("PIN đã hết hạn (PIN expired): đặt PIN mới (set a new one)");
            }
            // The library's long texts explain the standard; the code is enough to look it up.
            Failure::Pkcs11(code, function) => format!("{function:?} {code:?}"),
            other => other.to_string(),
        };
        Error::MasterKey(format!("PKCS#11 {}: {why}", self.token.token))
    }
}

/// Digests of the PINs that a device refused in this process.
fn refused_pins() -> &'static Mutex<HashSet<[u8; 32]>> {
    static REFUSED: OnceLock<Mutex<HashSet<[u8; 32]>>> = OnceLock::new();
    REFUSED.get_or_init(Mutex::default)
}

/// A PIN with the token that it is for, so that the PIN itself is not kept a second time.
fn pin_digest(token: &Token) -> [u8; 32] {
    let place = token.module.display();
    let named = Zeroizing::new(format!("{place}\n{}\n{}", token.token, *token.pin));
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, named.as_bytes()).as_ref());
    out
}

/// The vendor's library, loaded and initialised once per process, as the standard demands.
fn library(token: &Token) -> Result<Pkcs11> {
    static LOADED: OnceLock<Mutex<HashMap<PathBuf, Pkcs11>>> = OnceLock::new();
    let mut loaded = LOADED.get_or_init(Mutex::default).lock();
    if let Some(known) = loaded.get(&token.module) {
        return Ok(known.clone());
    }
    let path = token.module.display();
    let failed = |e: Failure| {
        Error::MasterKey(format!("không nạp được {path} (PKCS#11 module, keys.module): {e}"))
    };
    let library = Pkcs11::new(&token.module).map_err(failed)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Failure::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    loaded.insert(token.module.clone(), library.clone());
    Ok(library)
}
