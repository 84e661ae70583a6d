//! Which account of the operating system runs a command, and who signed in to the machine for it.

/// Where accounts have their names.
const ACCOUNTS: &str = "/etc/passwd";
/// What the kernel says where nobody signed in: services, containers.
const NOBODY: u32 = u32::MAX;

/// Who runs this process.
pub fn own() -> String {
    described(rustix::process::getuid().as_raw(), signed_in("self"))
}

/// Who runs another process, by what the kernel says of the end of a socket.
pub fn of(uid: u32, pid: Option<i32>) -> String {
    described(uid, pid.and_then(|pid| signed_in(&pid.to_string())))
}

/// Commands run as the account of the service; whoever signed in to the machine before stays
/// known to its kernel through `su` and `runuser`, where it keeps that (pam_loginuid).
fn signed_in(process: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{process}/loginuid")).ok()?;
    text.trim().parse().ok().filter(|uid| *uid != NOBODY)
}

/// `dancu`, or `vanhanh → dancu` where somebody else signed in.
fn described(uid: u32, signed_in: Option<u32>) -> String {
    match signed_in.filter(|known| *known != uid) {
        Some(known) => format!("{} → {}", named(known), named(uid)),
        None => named(uid),
    }
}

/// The name of an account by its number, `uid 1000` where this machine has none for it.
fn named(uid: u32) -> String {
    let accounts = std::fs::read_to_string(ACCOUNTS).unwrap_or_default();
    find(&accounts, uid).map_or_else(|| format!("uid {uid}"), ToOwned::to_owned)
}

/// A name stands in the journal between brackets: one with other characters is not taken.
fn find(accounts: &str, uid: u32) -> Option<&str> {
    let plain = |name: &&str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'$');
        !name.is_empty() && name.bytes().all(fits)
    };
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then_some(name)
    });
    found.filter(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_the_names_of_this_machine() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nvan hanh:x:7:7::/:\nvanhanh:x:1000:1::/:\n";
        assert_eq!(find(accounts, 0), Some("root"));
        assert_eq!(find(accounts, 1_000), Some("vanhanh"));
        assert_eq!((find(accounts, 7), find(accounts, 9)), (None, None));
        let (odd, other) = (u32::MAX - 5, u32::MAX - 6);
        assert_eq!(described(odd, None), format!("uid {odd}"));
        assert_eq!(described(odd, Some(odd)), format!("uid {odd}"));
        assert_eq!(described(odd, Some(other)), format!("uid {other} → uid {odd}"));
        assert!(!own().is_empty() && of(odd, Some(i32::MAX)) == format!("uid {odd}"));
    }
}
