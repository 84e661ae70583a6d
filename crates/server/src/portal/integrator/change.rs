//! What integrators change: secrets, keys, certificates, addresses. Each needs a fresh second
//! factor.

use axum::extract::Path;
use axum::response::Response;
use dancu_access::public_key::{PublicKey, WrongKey};
use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::credentials::{self, NewCertificate, Wanted};
use dancu_portal::integrator::{Secret, Typed};

use super::system::{OVERLAPS, page_of};
use super::{Own, head, user};
use crate::portal::form::Form;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;
use crate::tls::client::ClientCertificate;

/// Characters of a certificate with its chain.
const CERTIFICATE_MAX: usize = 16 * 1024;

/// What stands in the forms again; a key that may be private never does.
fn typed(form: &Form, own: &Own) -> Typed {
    let registered = own.system.facts.sources.iter().map(ToString::to_string);
    Typed {
        name: form.get("name").to_owned(),
        material: String::new(),
        sources: if form.has("sources") {
            form.raw("sources").to_owned()
        } else {
            registered.collect::<Vec<_>>().join("\n")
        },
    }
}

/// The page again, with what the office refused beside its field.
async fn refuse(signed: &Signed, own: &Own, form: &Form, refused: &Refused) -> Response {
    let field = match refused {
        Refused::Field { field: "key" | "certificate", .. } => "material",
        Refused::Field { field: "name", .. } if form.has("called") => "called",
        Refused::Field { field, .. } => *field,
        Refused::Gone => return frame::missing(signed),
        _ => "kind",
    };
    match words::refused(signed, refused) {
        Some(sentence) => {
            let errors = vec![frame::wrong(field, sentence)];
            page_of(signed, own, Some(typed(form, own)), errors, None).await
        }
        None => words::failed(signed, refused),
    }
}

/// `POST /integrator/{code}/secrets`
pub(super) async fn issue(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let own = Own::find(&signed, &code, Power::ManageCredentials).await?;
    let t = signed.text();
    let kind = CredentialKind::from_code(form.get("kind"));
    let kind = kind.filter(|k| matches!(k, CredentialKind::Soap | CredentialKind::Client));
    let days = form.get("overlap").parse().ok().filter(|days| OVERLAPS.contains(days));
    let (Some(kind), Some(overlap_days)) = (kind, days) else {
        let mut errors = vec![];
        if kind.is_none() {
            errors.push(frame::wrong("kind", t.get("cred-kind-wrong")));
        }
        if days.is_none() {
            errors.push(frame::wrong("overlap", t.get("cred-overlap-wrong")));
        }
        return Ok(page_of(&signed, &own, Some(typed(&form, &own)), errors, None).await);
    };
    let seen = form.get("seen").parse().unwrap_or(u32::MAX);
    let (acting, by, name) = (own.clone(), signed.clone(), form.get("name").to_owned());
    let act = async move {
        let wanted = Wanted { kind, name: &name, overlap_days, seen };
        credentials::issue(&acting.desk(&by), wanted).await
    };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, issued))) => frame::page(&Secret {
            code: own.system.code.as_str().to_owned(),
            head: head(kind),
            user: user(&own.system, kind).to_owned(),
            secret: issued.secret,
            before: issued.before_until.map(frame::stamp).unwrap_or_default(),
            s: signed.shell(),
            t,
        }),
        Sent::First(Err(refused)) => refuse(&signed, &own, &form, &refused).await,
        // A second one of the same form would make the first, which is being copied, the old one.
        _ => frame::to(&format!("/integrator/{}?told=again", own.system.code.as_str())),
    })
}

/// `POST /integrator/{code}/material`: a public key or a certificate. Sent twice, it is told as
/// done: the first of two clicks may have ended its request, and what it did stands.
pub(super) async fn material(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let own = Own::find(&signed, &code, Power::ManageCredentials).await?;
    let material = match Material::read(form.raw("material").trim()) {
        Ok(material) => material,
        Err(key) => {
            let errors = vec![frame::wrong("material", signed.text().get(key))];
            return Ok(page_of(&signed, &own, Some(typed(&form, &own)), errors, None).await);
        }
    };
    let (acting, by, name) = (own.clone(), signed.clone(), form.get("called").to_owned());
    let act = async move {
        let desk = acting.desk(&by);
        match material {
            Material::Key(key) => credentials::add_key(&desk, key, &name).await,
            Material::Certificate(new) => {
                credentials::add_certificate(&desk, &acting.snapshot, new, &name).await
            }
        }
    };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => refuse(&signed, &own, &form, &refused).await,
        _ => frame::to(&format!("/integrator/{}?told=material", own.system.code.as_str())),
    })
}

/// What may be pasted to be registered.
enum Material {
    Key(PublicKey),
    Certificate(NewCertificate),
}

impl Material {
    /// Reads it; else the key of the sentence that says what is wrong.
    fn read(text: &str) -> Result<Self, &'static str> {
        Err(match PublicKey::parse(text) {
            Ok(key) => return Ok(Self::Key(key)),
            Err(WrongKey::Certificate) => {
                return certificate(text).map(Self::Certificate).ok_or("cred-wrong-certificate");
            }
            Err(WrongKey::Private) => "cred-wrong-private",
            Err(WrongKey::Kind) => "cred-wrong-kind",
            Err(WrongKey::Weak) => "cred-wrong-weak",
            Err(WrongKey::TooLarge) => "cred-wrong-large",
            Err(WrongKey::Unreadable) => "cred-wrong-unreadable",
        })
    }
}

/// The first certificate of a PEM text.
fn certificate(pem: &str) -> Option<NewCertificate> {
    if pem.len() > CERTIFICATE_MAX {
        return None;
    }
    let read = ClientCertificate::of_pem(pem.as_bytes())?;
    let (from, until) = ClientCertificate::validity_of_pem(pem.as_bytes())?;
    Some(NewCertificate { sha256: read.sha256, from: Moment(from), until: Moment(until) })
}

/// `POST /integrator/{code}/sources`
pub(super) async fn sources(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let own = Own::find(&signed, &code, Power::ManageCredentials).await?;
    let set = async {
        let networks = credentials::parse_sources(form.raw("sources"))?;
        credentials::set_sources(&own.desk(&signed), networks).await
    };
    Ok(match set.await {
        Ok(_) => frame::to(&format!("/integrator/{}?told=sources", own.system.code.as_str())),
        Err(refused) => refuse(&signed, &own, &form, &refused).await,
    })
}
