//! A job plan as pages show it, to its unit and to the centre: row, strip of hours, history (D5).

use dancu_domain::moment::Hours;
use dancu_domain::people::PersonId;
use dancu_domain::plans::{Deed, JobPlan, REFUSED_UNDER, Standing, Strip as Persons, Terms};
use dancu_domain::registration::Snapshot;
use dancu_domain::service::Window;
use dancu_office::{Refused, plans as office};
use dancu_portal::parts::{Choice, FieldError, State, states};
use dancu_portal::plans::{Acts, Event, PlanPage, PlanRow, Strip, states as own};
use dancu_store::desks::Filed;

use super::frame;
use super::signed::Signed;
use super::words;

/// A plan as a row of `list`.
pub fn row(signed: &Signed, snapshot: &Snapshot, filed: &Filed, list: &str) -> PlanRow {
    let (t, terms) = (signed.text(), &filed.plan.terms);
    let store = signed.app.gate.store();
    let hours = &store.profiles().at(signed.now).hours;
    let system = snapshot.by_id(terms.system);
    let services: Vec<String> = terms.services.iter().map(|s| words::service(&t, s)).collect();
    let standing = filed.plan.standing(hours, signed.now);
    let runs = standing == Standing::Running;
    let used = runs.then(|| office::used(store, &filed.plan, hours.duty(signed.now).day));
    PlanRow {
        number: filed.id,
        system: system.map(|s| s.code.as_str().to_owned()).unwrap_or_default(),
        unit: system.map(|s| signed.unit_named(&s.unit)).unwrap_or_default(),
        services: services.join(", "),
        days: format!("{} – {}", frame::date(terms.from), frame::date(terms.to)),
        hours: hours_of(signed, hours, terms),
        daily: terms.daily.into(),
        used: used.map(u64::from),
        state: state(standing),
        href: format!("{list}/{}", filed.id),
    }
}

/// `Trong giờ 08:00–17:00`, each window that it covers.
fn hours_of(signed: &Signed, hours: &Hours, terms: &Terms) -> String {
    let windows = [Window::InHours, Window::OffHours].into_iter().zip(terms.hours);
    let words = windows.filter_map(|(window, range)| {
        let (from, to) = range?.clock(hours);
        let name = signed.text().get(words::window_key(window));
        Some(format!("{name} {}–{}", clock(from), clock(to)))
    });
    words.collect::<Vec<_>>().join("; ")
}

/// `HH:MM`.
pub fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

const fn state(standing: Standing) -> State {
    match standing {
        Standing::Announced => own::ANNOUNCED,
        Standing::Acknowledged => own::ACKNOWLEDGED,
        Standing::Lapsed => own::LAPSED,
        Standing::Agreed => own::AGREED,
        Standing::Running => own::RUNNING,
        Standing::Over => states::OVER,
        Standing::Withdrawn => states::WITHDRAWN,
        Standing::Refused => states::REFUSED,
        Standing::Ended => own::ENDED,
    }
}

/// The hours of a plan: what agreed ones take, and its own part.
pub fn strip(signed: &Signed, taken: Persons, load: Persons) -> Strip {
    let profile = signed.app.gate.store().profiles().at(signed.now);
    Strip::new(taken, load, profile.plans_per_hour.into(), profile.hours.from_minute)
}

/// What the page of a plan shows besides it.
pub struct Around {
    /// Its list.
    pub list: &'static str,
    /// What may be done.
    pub acts: Acts,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Which form was sent and refused, with what was typed.
    pub sent: SentForm,
}

/// A form of a plan's page that was refused; the empty one: none was.
#[derive(Clone, Default)]
pub struct SentForm {
    /// Its word: `refuse` or `end`.
    pub form: &'static str,
    /// The rule that was chosen.
    pub rule: String,
    /// The reason as typed.
    pub reason: String,
}

/// The page of a plan.
///
/// # Errors
/// The store could not be read.
pub async fn page(
    signed: &Signed,
    snapshot: &Snapshot,
    filed: &Filed,
    around: Around,
) -> Result<PlanPage, Refused> {
    let store = signed.app.gate.store();
    let open = office::all_open(store, signed.now).await?;
    let (plan, terms) = (&filed.plan, &filed.plan.terms);
    let Around { list, acts, told, errors, sent } = around;
    Ok(PlanPage {
        row: row(signed, snapshot, filed, list),
        own_count: terms.own_count,
        account: words::login(&terms.account),
        contact: terms.contact.name.as_str().to_owned(),
        phone: terms.contact.phone.clone(),
        purpose: terms.purpose.as_str().to_owned(),
        strip: strip(signed, office::taken((terms.from, terms.to), &open, filed.id), terms.load()),
        history: history(signed, plan).await?,
        rules: rules(signed, &sent.rule),
        sent: sent.form,
        reason: sent.reason,
        list,
        acts,
        told,
        errors,
        s: signed.shell(),
        t: signed.text(),
    })
}

async fn history(signed: &Signed, plan: &JobPlan) -> Result<Vec<Event>, Refused> {
    let mut events = vec![];
    for step in plan.steps() {
        events.push(Event {
            key: match step.deed {
                Deed::Announced => "plan-step-announced",
                Deed::Acknowledged => "plan-step-acknowledged",
                Deed::Agreed => "plan-step-agreed",
                Deed::Refused => "plan-step-refused",
                Deed::Withdrawn => "plan-step-withdrawn",
                Deed::Ended => "plan-step-ended",
            },
            time: frame::stamp(step.at),
            by: name(signed, step.by).await?,
            rule: step.rule.map_or("", |rule| rule.code()),
            reason: step.reason.clone(),
        });
    }
    Ok(events)
}

/// A person's name; the number of an account that is gone.
async fn name(signed: &Signed, person: PersonId) -> Result<String, Refused> {
    let found = signed.app.gate.store().people().person_by_id(person).await?;
    Ok(found.map_or_else(|| format!("#{}", person.0), |person| person.name))
}

fn rules(signed: &Signed, chosen: &str) -> Vec<Choice> {
    let choice = |rule: dancu_domain::rule::RuleId| Choice {
        value: rule.code().to_owned(),
        label: format!("{} – {}", rule.code(), signed.text().get(format!("rule-{}", rule.code()))),
        chosen: rule.code() == chosen,
    };
    REFUSED_UNDER.into_iter().map(choice).collect()
}
