//! Individual commitments that a head confirms in one batch, with one signature (B7).

use std::collections::{HashMap, HashSet};

use dancu_domain::editions::{Edition, Form};
use dancu_domain::files::{About, CommitmentList, FileId, Role, list_number, named};
use dancu_domain::ids::{AccountId, SystemId};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::profile::CommitmentRule;
use dancu_domain::registration::{AccountKind, AccountState, ConnectionState};
use dancu_store::files::{self, Kept, ListedCommitment, Whose};
use dancu_store::policy::accounts::{self, Listed};

use crate::act::{Done, Entry, Refused, note};
use crate::dossiers::{Brought, told};
use crate::officers::HeadDesk;

/// Officers of one batch at most: the longest account list.
const BATCH_MAX: usize = dancu_domain::dossier::ACCOUNTS_MAX;

/// An officer and the commitment, where there is one.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The officer on the account list.
    pub officer: Listed,
    /// The last commitment; none: none was confirmed.
    pub commitment: Option<ListedCommitment>,
}

/// Officers of a system of the unit with their commitments, those without one first.
///
/// # Errors
/// [`Refused::Gone`] for another unit's system; of the store.
pub async fn of_system(desk: &HeadDesk<'_>, system: SystemId) -> Result<Vec<Committed>, Refused> {
    own(desk, system)?;
    let known = desk.store.commitments_of(system).await?;
    let mut known: HashMap<AccountId, _> = known.into_iter().map(|c| (c.account, c)).collect();
    let listed = desk.store.account_list(system).await?.into_iter().filter(is_officer);
    let mut all: Vec<Committed> = listed
        .map(|officer| Committed { commitment: known.remove(&officer.account.id), officer })
        .collect();
    all.sort_by_key(|c| (c.commitment.is_some(), c.officer.account.id));
    Ok(all)
}

/// How many officers of the unit have no commitment; none where the profile asks for none.
///
/// # Errors
/// Of the store.
pub async fn wanting(desk: &HeadDesk<'_>) -> Result<u64, Refused> {
    let rule = desk.store.profiles().at(desk.now).accounts.individual_commitment;
    if rule == CommitmentRule::Off {
        return Ok(0);
    }
    let own = desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit);
    let mut count = 0;
    for system in own.filter(|s| s.state != ConnectionState::Closed) {
        let all = of_system(desk, system.id).await?;
        count += all.iter().filter(|c| c.commitment.is_none()).count() as u64;
    }
    Ok(count)
}

/// Confirms the commitments of some officers: each gets today's edition, the day and the number of
/// this list. The route asks for a fresh factor, which is the signature of the electronic form; the
/// signed list may be kept beside it as a file.
///
/// # Errors
/// [`Refused::Field`] where nobody is chosen; [`Refused::Gone`] for who is no officer of this list.
pub async fn confirm(
    desk: &HeadDesk<'_>,
    system: SystemId,
    mut chosen: Vec<AccountId>,
    signed_list: Option<Brought<impl AsRef<[u8]>>>,
) -> Result<(Done, i64), Refused> {
    let code = own(desk, system)?;
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() || chosen.len() > BATCH_MAX {
        return Err(Refused::Field {
            field: "officers",
            vi: "Chọn ít nhất một cán bộ để xác nhận cam kết (B7).".into(),
            en: "Choose at least one officer whose commitment is confirmed (B7).".into(),
        });
    }
    let by = desk.by.person().ok_or(PortalReason::NoPower)?;
    let mark = dancu_domain::dossier::Mark { by, at: desk.now };
    let day = desk.now.viet_nam_date();
    let edition = Edition::at(Form::IndividualCommitment, day).ok_or(Refused::Gone)?.name;
    let staged = match &signed_list {
        None => None,
        Some(brought) => {
            let about = About {
                name: named(&brought.name),
                kind: brought.kind.to_owned(),
                role: Role::Commitments,
                scan: brought.scan,
                by,
                at: desk.now,
            };
            let staged = desk.store.stage_file(desk.now, brought.bytes.as_ref()).await?;
            Some((staged, about))
        }
    };
    let entry = Entry::new("commitments.confirmed", desk.by, Some(system));
    let (keys, unit, kept) = (desk.store.keys().clone(), desk.unit.clone(), staged.clone());
    let confirmed = note((desk.store, desk.now), entry, move |tx| {
        let owner = accounts::owner(tx, system)?.filter(|owner| owner.unit == unit);
        owner.ok_or(Refused::Gone)?;
        let known = accounts::of_system(tx, &keys, system)?;
        let officers = known.iter().filter(|k| is_officer(k));
        let officers: HashSet<AccountId> = officers.map(|k| k.account.id).collect();
        if !chosen.iter().all(|id| officers.contains(id)) {
            return Err(Refused::Gone);
        }
        let file: Option<FileId> = kept.as_ref().map(|(staged, _)| staged.id);
        if let Some((staged, about)) = &kept {
            files::keep(tx, &keys, staged, Whose::System(system), about)?;
        }
        let officers = chosen.len() as u32;
        let list = CommitmentList { edition: edition.to_owned(), officers, mark, file };
        let id = files::confirm(tx, &keys, system, &list, &chosen)?;
        let numbers: Vec<String> = chosen.iter().map(|id| format!("#{}", id.0)).collect();
        let of_file = kept.map(|(s, about)| format!("; tệp {}", told(&s, &about)));
        let detail = format!(
            "{code} {} mẫu {edition}, {officers} cán bộ: {}{}",
            list_number(id),
            numbers.join(" "),
            of_file.unwrap_or_default()
        );
        Ok((detail, id))
    });
    let confirmed = confirmed.await;
    if let (Err(_), Some((staged, _))) = (&confirmed, &staged) {
        desk.store.drop_staged(desk.now, staged.id).await;
    }
    confirmed
}

/// Hands the signed list of a batch out, and journals the look.
///
/// # Errors
/// [`Refused::Gone`] where there is none, or it is of another unit's system; nothing could be
/// journaled.
pub async fn fetch(desk: &HeadDesk<'_>, file: FileId) -> Result<(Kept, Vec<u8>), Refused> {
    let kept = desk.store.file(file).await?.filter(|k| k.about.role == Role::Commitments);
    let kept = kept.ok_or(Refused::Gone)?;
    let Whose::System(system) = kept.whose else { return Err(Refused::Gone) };
    let code = own(desk, system)?;
    let bytes = desk.store.file_bytes(&kept).await?;
    let entry = Entry::new("commitments.fileRead", desk.by, Some(system));
    let detail = format!("{code} tệp {file}");
    note((desk.store, desk.now), entry, move |_| Ok((detail, ()))).await?;
    Ok((kept, bytes))
}

/// Journals that the scanner refused a signed list, which is not kept.
///
/// # Errors
/// [`Refused::Gone`] for another unit's system; nothing could be journaled.
pub async fn refused_by_scanner(
    desk: &HeadDesk<'_>,
    system: SystemId,
    sha256: [u8; 32],
) -> Result<(), Refused> {
    let code = own(desk, system)?;
    let entry = Entry::new("commitments.fileRefused", desk.by, Some(system));
    let detail = format!("{code} tệp SHA-256 {}: phần mềm quét từ chối", hex::encode(sha256));
    note((desk.store, desk.now), entry, move |_| Ok((detail, ()))).await.map(drop)
}

/// The code of a system of this unit.
fn own(desk: &HeadDesk<'_>, system: SystemId) -> Result<String, Refused> {
    let found = desk.snapshot.by_id(system).filter(|s| s.unit == *desk.unit);
    Ok(found.ok_or(Refused::Gone)?.code.as_str().to_owned())
}

/// Whether an account stands on the list: of an officer, not revoked.
fn is_officer(listed: &Listed) -> bool {
    let account = &listed.account;
    account.kind == AccountKind::Officer && account.state != AccountState::Revoked
}
