//! `dancu operate invite`: the first head of a unit, and the centre's staff (E1).

use anyhow::Context as _;
use dancu_access::people::Hasher;
use dancu_domain::ids::{Login, PersonalId};
use dancu_domain::moment::Moment;
use dancu_domain::name::FullName;
use dancu_domain::people::roles::Role;
use dancu_office::staff::{self, GIVEN, New, StaffDesk};
use dancu_store::Store;

use super::{ByArgs, Done, Who, told, units, unknown_word};

/// Who is invited, where, as what.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Chung.
    #[command(flatten)]
    pub(super) who: ByArgs,
    /// Mã đơn vị.
    #[arg(long)]
    unit: String,
    /// Vai trò.
    #[arg(long, value_parser = GIVEN.map(|role| role.row().code))]
    role: String,
    /// Tên đăng nhập.
    #[arg(long)]
    login: String,
    /// Họ và tên.
    #[arg(long)]
    name: String,
    /// Số CCCD, 12 chữ số.
    #[arg(long)]
    citizen_id: String,
    /// Điện thoại.
    #[arg(long, default_value = "")]
    #[serde(default)]
    phone: String,
    /// Thư điện tử nhận thông báo.
    #[arg(long, default_value = "")]
    #[serde(default)]
    email: String,
}

/// Invites; the code stands in the answer and nowhere else.
///
/// # Errors
/// The text of what does not allow it.
pub(super) async fn carry_out(
    (store, now): (&Store, Moment),
    who: &Who<'_>,
    args: &Args,
) -> anyhow::Result<Done> {
    dancu_office::units::keep(store, now).await?;
    let actor = who.actor();
    let desk = StaffDesk { store, now, actor: &actor, reason: who.reason };
    let new = New {
        login: Login::parse(args.login.trim())
            .context("tên đăng nhập: 8-60 chữ, số, . _ - @ (login, B6)")?,
        name: FullName::parse(&args.name).context("họ tên không hợp lệ (name)")?,
        unit: units::code(&args.unit)?,
        role: Role::from_code(&args.role).ok_or_else(|| unknown_word(&args.role))?,
        personal_id: PersonalId::parse(args.citizen_id.trim())
            .context("số CCCD: 12 chữ số (citizen id)")?,
        phone: args.phone.trim().to_owned(),
        email: args.email.trim().to_owned(),
    };
    let hasher = Hasher::new(1).context("không băm được mật khẩu (hashing)")?;
    let (code, phc) = hasher.given_password().await.context("không tạo được mã mời (code)")?;
    let (done, _) = staff::invite(&desk, new, phc).await.map_err(told)?;
    Ok(Done { secret: Some(code.as_str().to_owned()), ..done.into() })
}
