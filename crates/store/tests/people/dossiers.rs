//! Rows of dossiers, and what they set up.

use dancu_domain::dossier::{Content, Dossier, DossierNumber, Editor, Mark, Registration};
use dancu_domain::ids::{LineId, SystemCode, SystemId, UnitCode};
use dancu_domain::people::PersonId;
use dancu_domain::registration::{Channel, ConnectionState, Group, Line, ServiceGrant, System};
use dancu_domain::service::{FieldSet, Service};
use dancu_store::dossiers::{self, Stored};
use dancu_store::policy::{accounts, setup, write};
use dancu_store::{Error, values};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note};

const MARK: Mark = Mark { by: PersonId(1), at: BEGIN };
const SYSTEM: SystemId = SystemId(3);

fn begun(number: u32) -> Dossier {
    let unit = UnitCode::parse("H99.001").unwrap();
    Dossier::begin(DossierNumber(number), unit, (Group::State, Channel::Api), MARK)
}

fn saved(dossier: Dossier, name: &str) -> Dossier {
    let content = Content { system_name: name.into(), ..Content::default() };
    dossier.save(MARK, Editor::Unit, content).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dossier_is_saved_over_what_was_read_and_opens_in_its_row() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        note(&store, |tx, keys| {
            dossiers::insert(tx, keys, &begun(1))?;
            dossiers::insert(tx, keys, &begun(2))
        })
        .await
        .unwrap();
        let save = async |name: &str, revision| {
            let dossier = saved(begun(1), name);
            note(&store, move |tx, keys| dossiers::save(tx, keys, &Stored { dossier, revision }))
                .await
        };
        save("một", 0).await.unwrap();
        assert!(matches!(save("hai", 0).await, Err(Error::Refused(_))), "{engine:?}");
        let found = store.dossiers().by_number(DossierNumber(1)).await.unwrap().unwrap();
        assert_eq!((found.dossier, found.revision), (saved(begun(1), "một"), 1));
        assert_eq!(note(&store, |tx, _| dossiers::next_number(tx)).await.unwrap().0, 3);
        // One that was put into the row of another does not open there.
        let moved = note(&store, |tx, keys| {
            let sql = "UPDATE dossier SET sealed = (SELECT sealed FROM dossier WHERE id = $1) \
                       WHERE id = $2";
            tx.execute(sql, values![1, 2])?;
            dossiers::by_number(tx, keys, DossierNumber(2))
        });
        assert!(moved.await.is_err());
    }
}

fn registration(services: &[(Service, [u32; 2])]) -> Registration {
    let grant = |(service, counts): &(Service, [u32; 2])| ServiceGrant {
        service: *service,
        ma_tich_hop: service.default_ma_tich_hop().into(),
        fields: FieldSet::EMPTY,
        lines: counts
            .map(|daily| (daily > 0).then(|| Line { id: LineId(0), daily, raises: vec![] })),
    };
    let code = SystemCode::parse("MAU").unwrap();
    let grants = services.iter().map(grant).collect();
    Registration { code, grants, procedures: vec![], accounts: vec![] }
}

/// D2: the number of a line that is gone is not given again: its counts would go on in another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_keep_their_numbers_and_gone_ones_are_not_given_again() {
    let (verify, lookup) = (Service::CitizenVerify, Service::CitizenLookup);
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let numbers = note(&store, move |tx, keys| {
            let (code, unit) =
                (SystemCode::parse("MAU").unwrap(), UnitCode::parse("H99.001").unwrap());
            write::insert_system(tx, keys, &System::new(SYSTEM, code, unit, Group::State), &[])?;
            let mut set = |services: &[(Service, [u32; 2])]| {
                setup::register(tx, keys, SYSTEM, &registration(services))?;
                accounts::lines_of(tx, SYSTEM)
            };
            let first = set(&[(verify, [500, 200]), (lookup, [10, 0])])?;
            let kept = set(&[(verify, [700, 0])])?;
            assert_eq!(kept, [first[0]]);
            tx.execute(
                "INSERT INTO line_day (duty_day, line, system, off_hours, used, refused, \
                 exceedances, refused_after) VALUES (1, $1, $2, 0, 5, 0, 0, 0)",
                values![first[2].0, SYSTEM.0],
            )?;
            setup::register(tx, keys, SYSTEM, &registration(&[(lookup, [10, 0])]))?;
            let again = accounts::lines_of(tx, SYSTEM)?;
            assert_eq!(write::line(tx, again[0], BEGIN)?.daily, 10);
            assert_eq!(write::system_state(tx, SYSTEM)?, Some(ConnectionState::Preparing));
            Ok((first, again))
        });
        let (first, again) = numbers.await.unwrap();
        assert_eq!((first.len(), again.len()), (3, 1));
        assert!(!first.contains(&again[0]), "{engine:?}");
    }
}
