//! Fields that are wanted of each service, for what and in which procedures; sensitive ones apart
//! (A4, B10).

use dancu_domain::dossier::{Content, Item, ServiceUse};
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_portal::dossier::sheets::{Fields, UseRow};
use dancu_portal::parts::{Choice, FieldError};

use super::sheet::Looked;
use crate::portal::form::Form;
use crate::portal::words;

/// The page: a card for each registered service, and for what was wanted of another before.
pub(super) fn page(looked: &Looked<'_>, errors: Vec<FieldError>) -> Fields {
    let content = looked.content;
    let wanted = |service| content.uses.iter().any(|of| of.service == service);
    let services = Service::ALL
        .into_iter()
        .filter(|service| content.services().contains(*service) || wanted(*service));
    let codes: Vec<&str> = content.procedures.iter().map(|p| p.code.trim()).collect();
    Fields {
        errors,
        rows: services.map(|service| row(looked, service)).collect(),
        procedures: codes.join(", "),
        wrong: looked.lacks(Item::Fields, None),
        remarks: looked.remarks(&[Item::Fields, Item::Sensitive]),
        sheet: looked.sheet("fields"),
        s: looked.signed.shell(),
        t: looked.signed.text(),
    }
}

fn row(looked: &Looked<'_>, service: Service) -> UseRow {
    let t = looked.signed.text();
    let uses = &looked.content.uses;
    let at = uses.iter().position(|of| of.service == service);
    let of = at.and_then(|at| uses.get(at));
    let fields = of.map(|of| of.fields).unwrap_or_default();
    let choices = |among: FieldSet| {
        let all = among.iter().map(|field| Choice {
            value: field.code().to_owned(),
            label: t.get(format!("field-{}", field.code())),
            chosen: fields.contains(field),
        });
        all.collect()
    };
    UseRow {
        id: format!("u{}", service.index()),
        service: words::service(&t, service),
        purpose: of.map(|of| of.purpose.clone()).unwrap_or_default(),
        procedures: of.map(|of| of.procedures.join(", ")).unwrap_or_default(),
        ordinary: choices(FieldSet::ALL.without(FieldSet::SENSITIVE)),
        sensitive: choices(FieldSet::SENSITIVE),
        wrong: at.map(|at| looked.lacks(Item::Fields, Some(at))).unwrap_or_default(),
    }
}

/// What was typed, over what stood there; a card that is empty is no use. What
/// is wrong is listed beside its card.
pub(super) fn read(form: &Form, before: &Content) -> Content {
    let mut uses = vec![];
    for service in Service::ALL {
        let id = format!("u{}", service.index());
        let mut fields = FieldSet::EMPTY;
        let ticked = form.all(&format!("{id}-field"));
        ticked.into_iter().filter_map(Field::from_code).for_each(|field| fields.insert(field));
        let purpose = form.get(&format!("{id}-purpose")).to_owned();
        let codes = form.get(&format!("{id}-procedures"));
        let codes = codes.split([',', ';', ' ']).map(str::trim).filter(|code| !code.is_empty());
        let procedures: Vec<String> = codes.map(ToOwned::to_owned).collect();
        if !(fields.is_empty() && purpose.is_empty() && procedures.is_empty()) {
            uses.push(ServiceUse { service, fields, purpose, procedures });
        }
    }
    Content { uses, ..before.clone() }
}
