//! Section `[keys]`: a device that holds the master key.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use dancu_store::keys::pkcs11::Token;
use dancu_store::keys::{MASTER_KEY_NEXT_VARIABLE, MASTER_KEY_VARIABLE, MasterSource};
use zeroize::Zeroizing;

use crate::config::keys::section;

/// Variable that holds the device's PIN instead of a file.
pub const PIN_VARIABLE: &str = "DANCU_MASTER_PIN";

section! {
    /// `[keys]`: a device that holds the master key.
    KeysConfig {
        module = "module": Option<PathBuf> = None, "\"/usr/lib/softhsm/libsofthsm2.so\"",
            "Thư viện PKCS#11 của thiết bị giữ khóa chủ; bỏ trống: khóa chủ ở tệp master.key hoặc \
             biến DANCU_MASTER_KEY. Dữ liệu mới dùng thiết bị ngay; dữ liệu đã có chuyển sang bằng \
             `dancu keys rotate master --to device`.",
            "PKCS#11 library of the device that holds the master key; not set: the key is in the \
             file master.key or in DANCU_MASTER_KEY. New data uses the device at once; existing \
             data moves to it by `dancu keys rotate master --to device`.";
        token = "token": String = "dancu".into(), "",
            "Tên (label) của token trong thiết bị.",
            "Label of the token in the device.";
        label = "label": String = "dancu-master".into(), "",
            "Tên (CKA_LABEL) của các khóa chủ trong token.",
            "Label (CKA_LABEL) of the master keys in the token.";
        pin_file = "pinFile": Option<PathBuf> = None, "\"/etc/dancu/pin\"",
            "Tệp chứa PIN của token, quyền 0600; hoặc đặt PIN vào biến DANCU_MASTER_PIN.",
            "File with the token's PIN, mode 0600; or the PIN in the variable DANCU_MASTER_PIN.";
    }
}

impl KeysConfig {
    /// Where master keys come from, with what the environment says.
    pub fn source(&self) -> anyhow::Result<MasterSource> {
        let variable = |name| std::env::var(name).ok();
        let token = self.module.as_ref().map(|module| {
            let (token, label) = (self.token.clone(), self.label.clone());
            let pin = self.pin(variable(PIN_VARIABLE))?;
            anyhow::Ok(Token { module: module.clone(), token, label, pin })
        });
        Ok(MasterSource {
            environment: variable(MASTER_KEY_VARIABLE),
            environment_next: variable(MASTER_KEY_NEXT_VARIABLE),
            token: token.transpose()?,
        })
    }

    fn pin(&self, from_environment: Option<String>) -> anyhow::Result<Zeroizing<String>> {
        match (from_environment, &self.pin_file) {
            (Some(pin), _) => Ok(Zeroizing::new(pin)),
            (None, Some(path)) => read_pin(path),
            (None, None) => {
                bail!("thiếu PIN của thiết bị: keys.pinFile hoặc {PIN_VARIABLE} (no PIN)")
            }
        }
    }
}

fn read_pin(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("không đọc được keys.pinFile {shown} (cannot be read)"))?;
    let text = Zeroizing::new(text);
    let mode = std::fs::metadata(path)?.permissions().mode();
    let open_to_others = mode & 0o077 != 0;
    ensure!(
        !open_to_others,
        "keys.pinFile {shown} phải có quyền 0600 (must not be readable by others)"
    );
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
