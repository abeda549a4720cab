//! "Active accounts: kept while active": ten simulated years in which everything that has a term goes on time, and
//! nothing an active coach made goes at all.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::{
    CoachId, DekId, DisclosureId, ExportId, PortalProofId, RequestId, SuppressionId, TombstoneId, WebinarId,
};
use persistence::entities::{
    audit_entry, caption, consent_text, disclosure, dsr_request, export_archive, page_view, portal_proof,
    portal_session, registration, session, subject, suppression, tombstone, video, watch_map, webinar,
};
use privacy::DataMap;
use privacy::audit::{Event, Role, Verdict, verify_chain};
use privacy::retention::{WebinarRule, What, plan};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use testkit::each_database;

use crate::world::{World, count};

const DAY: i64 = 86_400;
const YEARS: i64 = 10;

/// A generator of our own, so that a red run can be run again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A row of the simulated installation: what it is, the moment that counts for it, and how many days after that it may
/// still be there, said here and not read from the map.
struct Row {
    what: Option<What>,
    starts: Moment,
    allowed: Option<i64>,
}

/// Two hundred coaches; every other webinar has a rule of its own.
fn webinars(chance: &mut Chance) -> Vec<(CoachId, WebinarId, Option<i64>)> {
    let webinar = |index: u64, chance: &mut Chance| {
        let rule = index.is_multiple_of(2).then(|| 7 + i64::try_from(chance.below(1_000)).expect("small"));
        (CoachId::new(), WebinarId::new(), rule)
    };
    (0..200).map(|index| webinar(index, chance)).collect()
}

fn born(today: Moment, webinars: &[(CoachId, WebinarId, Option<i64>)], chance: &mut Chance) -> Vec<Row> {
    let at = today.plus_seconds(i64::try_from(chance.below(86_400)).expect("small"));
    let fixed = |what, allowed| Row { what: Some(what), starts: at, allowed: Some(allowed) };
    let mut rows = vec![
        fixed(What::Requests, 730),
        fixed(What::AuditEntries, 730),
        fixed(What::Disclosures, 730),
        fixed(What::Tombstones, 130),
        fixed(What::Proofs, 1),
        fixed(What::Strikes, 60),
        // The row carries its own last day.
        Row { what: Some(What::Exports), starts: at.plus_days(7), allowed: Some(0) },
        Row { what: Some(What::Holds), starts: at.plus_days(90), allowed: Some(0) },
        // What a coach makes: no term at all.
        Row { what: None, starts: at, allowed: None },
    ];
    for _ in 0..6 {
        let (coach, webinar, rule) = webinars[usize::try_from(chance.below(200)).expect("small")];
        let link_ends = at.plus_days(i64::try_from(chance.below(365)).expect("small"));
        rows.push(Row { what: Some(What::Viewers(coach, webinar)), starts: link_ends, allowed: rule });
    }
    rows
}

#[test]
fn in_ten_simulated_years_no_row_outlives_its_class_and_no_content_goes() {
    let mut chance = Chance(0x5eed_0000_0000_0044);
    let webinars = webinars(&mut chance);
    let rules: Vec<WebinarRule> = webinars
        .iter()
        .filter_map(|(coach, webinar, days)| Some(WebinarRule { coach: *coach, webinar: *webinar, days: (*days)? }))
        .collect();
    let begin = Moment::from_unix_seconds(1_795_000_000);
    let (mut rows, mut content, mut without_a_rule, mut gone) = (Vec::new(), 0, 0, 0);
    for day in 0..YEARS * 365 {
        let today = begin.plus_days(day);
        let newborn = born(today, &webinars, &mut chance);
        content += newborn.iter().filter(|row| row.what.is_none()).count();
        without_a_rule += newborn.iter().filter(|row| row.what.is_some() && row.allowed.is_none()).count();
        rows.extend(newborn);

        let tonight = today.plus_days(1);
        let before: BTreeMap<What, Moment> = plan(DataMap::current(), &rules, tonight)
            .into_iter()
            .map(|removal| (removal.what, removal.before))
            .collect();
        let total = rows.len();
        rows.retain(|row| row.what.and_then(|what| before.get(&what)).is_none_or(|before| row.starts >= *before));
        gone += total - rows.len();
        for row in &rows {
            let Some(allowed) = row.allowed else { continue };
            assert!(
                row.starts.plus_days(allowed) >= tonight,
                "{:?} of {:?} is still there on day {day}",
                row.what,
                row.starts
            );
        }
    }
    assert_eq!(rows.iter().filter(|row| row.what.is_none()).count(), content, "an active account loses nothing");
    let kept = rows.iter().filter(|row| row.what.is_some() && row.allowed.is_none()).count();
    assert_eq!(kept, without_a_rule, "without the coach's own rule her viewers stay as well");
    assert!(gone > 20_000, "only {gone} rows went: nothing was tried");
}

/// One row of every class that has a term.
async fn plant(world: &World, now: Moment) {
    let key = world.backend.keyring().create_key(now).await.expect("a key").0;
    let object_key = format!("coaches/{}/exports/{}.zip", world.id(), ExportId::new());
    world.backend.bucket().put(&object_key, bytes::Bytes::from_static(b"archive")).await.expect("stored");
    let transaction = world.backend.db().begin().await.expect("begins");
    let request = dsr_request::ActiveModel {
        id: Set(RequestId::new()),
        regime: Set("gdpr".to_owned()),
        kind: Set("access".to_owned()),
        subject_kind: Set("viewer".to_owned()),
        coach_id: Set(None),
        subject_id: Set(None),
        subject_ref: Set(vec![1]),
        dek_id: Set(DekId::new()),
        details_ct: Set(None),
        state: Set("done".to_owned()),
        reason: Set(None),
        received_at: Set(now),
        verified_at: Set(Some(now)),
        undo_until: Set(None),
        due_at: Set(now.plus_days(30)),
        extended_to: Set(None),
        completed_at: Set(Some(now)),
        receipt: Set(None),
    };
    dsr_request::Entity::insert(request).exec_without_returning(&transaction).await.expect("a request");
    let row = disclosure::ActiveModel {
        id: Set(DisclosureId::new()),
        received_at: Set(now),
        authority: Set("a court".to_owned()),
        legal_basis: Set("an order".to_owned()),
        classes: Set("[]".to_owned()),
        subject_count: Set(1),
        asked_by_seat: Set(1),
        approved_by_seat: Set(None),
        approved_at: Set(None),
        given_at: Set(None),
        given_of: Set("[]".to_owned()),
    };
    disclosure::Entity::insert(row).exec_without_returning(&transaction).await.expect("a disclosure");
    let row = tombstone::Model {
        id: TombstoneId::new(),
        coach_id: world.id(),
        subject_hash: None,
        email_bidx: Some(now.0.to_be_bytes().to_vec()),
        cause: "erase".to_owned(),
        created_at: now,
        expires_at: now.plus_days(130),
    };
    world.backend.keyring().bury(&row).await.expect("buried");
    tombstone::Entity::insert(tombstone::ActiveModel::from(row).reset_all())
        .exec_without_returning(&transaction)
        .await
        .expect("a tombstone");
    let row = export_archive::ActiveModel {
        id: Set(ExportId::new()),
        subject_kind: Set("coach".to_owned()),
        coach_id: Set(world.id()),
        subject_id: Set(None),
        dek_id: Set(key),
        state: Set("ready".to_owned()),
        step: Set("done".to_owned()),
        done_rows: Set(1),
        total_rows: Set(1),
        omissions: Set(0),
        object_key: Set(Some(object_key)),
        size_bytes: Set(Some(7)),
        sha256: Set(None),
        downloads: Set(0),
        last_link_at: Set(None),
        created_at: Set(now),
        ready_at: Set(Some(now)),
        expires_at: Set(now.plus_days(7)),
    };
    export_archive::Entity::insert(row).exec_without_returning(&transaction).await.expect("an archive");
    let row = portal_proof::ActiveModel {
        purpose: Set("myself".to_owned()),
        dek_id: Set(DekId::new()),
        address_ct: Set(None),
        id: Set(PortalProofId::new()),
        address_mac: Set(vec![1]),
        token_hash: Set(now.0.to_be_bytes().to_vec()),
        code_mac: Set(vec![1]),
        tries: Set(0),
        created_at: Set(now),
        expires_at: Set(now.plus_seconds(900)),
        used_at: Set(None),
    };
    portal_proof::Entity::insert(row).exec_without_returning(&transaction).await.expect("a proof");
    let row = portal_session::ActiveModel {
        token_hash: Set(now.0.to_be_bytes().to_vec()),
        address_ct: Set(vec![1]),
        created_at: Set(now),
        expires_at: Set(now.plus_seconds(1_800)),
    };
    portal_session::Entity::insert(row).exec_without_returning(&transaction).await.expect("a session");
    let audited = world.backend.audit(&transaction, Event::Exported, Role::Coach, None, ("archive", 1), now);
    audited.await.expect("on record");
    transaction.commit().await.expect("commits");
}

#[tokio::test]
async fn the_periodic_job_carries_ten_years_out_on_both_databases() {
    each_database("p44", |test| async move {
        let world = World::published(&test).await;
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        let form = domain::webinar::WebinarForm { retention_days: "365".to_owned(), ..editor.form };
        world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");
        world.coach.add_caption(world.video, "en", "", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n").await.expect("adds");
        world.backend.visitor().count_page_view(&world.slug, &crate::Client::unknown(), "");
        world.backend.write_page_views().await.expect("counts");
        world.run_jobs().await;
        let content = || async {
            (
                count::<webinar::Entity>(&world).await,
                count::<video::Entity>(&world).await,
                count::<caption::Entity>(&world).await,
                count::<page_view::Entity>(&world).await,
                count::<consent_text::Entity>(&world).await,
                count::<session::Entity>(&world).await,
            )
        };
        let guest = world.guest("first@viewer.example").await;
        let view = world.open_room(&guest).await.expect("is measured");
        world.watch(view, 1).await;
        let row = suppression::ActiveModel {
            id: Set(SuppressionId::new()),
            coach_id: Set(world.id()),
            email_bidx: Set(vec![7]),
            channel: Set("mail".to_owned()),
            created_at: Set(world.backend.now()),
            strikes: Set(None),
            until_at: Set(None),
        };
        let transaction = world.backend.db().begin().await.expect("begins");
        suppression::Entity::insert(row).exec_without_returning(&transaction).await.expect("a mark");
        transaction.commit().await.expect("commits");
        let (made, objects) = (content().await, world.objects());

        let mut people = 1;
        for month in 0..YEARS * 12 {
            let now = world.backend.now();
            plant(&world, now).await;
            if month % 6 == 0 {
                world.guest(&format!("guest-{month}@viewer.example")).await;
                people += 1;
            }
            world.backend.clock().advance_seconds(30 * DAY);
            world.backend.keep_promises().await.expect("runs");
            let tonight = world.backend.now();
            let oldest = |days: i64| tonight.plus_days(-days);
            let reader = world.backend.db().reader();
            for row in registration::Entity::find().all(reader).await.expect("reads") {
                assert!(row.expires_at >= oldest(365), "a booking of {:?} is still there", row.expires_at);
            }
            for row in dsr_request::Entity::find().all(reader).await.expect("reads") {
                assert!(row.completed_at.expect("over") >= oldest(730));
            }
            for row in tombstone::Entity::find().all(reader).await.expect("reads") {
                assert!(row.created_at >= oldest(130));
            }
            assert!(count::<disclosure::Entity>(&world).await <= 25);
            assert_eq!(count::<export_archive::Entity>(&world).await, 0);
            let doors = (count::<portal_proof::Entity>(&world).await, count::<portal_session::Entity>(&world).await);
            assert_eq!(doors, (0, 0));
        }
        let reader = world.backend.db().reader();
        for row in audit_entry::Entity::find().all(reader).await.expect("reads") {
            assert!(row.at >= world.backend.now().plus_days(-730));
        }
        let verdict = verify_chain(reader).await.expect("reads");
        assert!(matches!(verdict, Verdict::Whole { .. }), "what is left of the chain is whole: {verdict:?}");
        assert_eq!(content().await, made, "an active account loses nothing");
        assert_eq!(world.objects(), objects, "no archive is left, and no recording went");
        assert_eq!(count::<suppression::Entity>(&world).await, 1, "who said no is never forgotten by age");
        assert!(world.backend.keyring().tombstones(Moment(0)).await.expect("reads").len() <= 5);
        // People whose time was over are gone with their keys, and still counted.
        let left = count::<subject::Entity>(&world).await;
        assert!(left < people, "{left} of {people}");
        assert_eq!(count::<watch_map::Entity>(&world).await, 0);
        assert!(world.person(guest.subject).await.is_none());
        let totals = persistence::entities::erased_total::Entity::find().all(reader).await.expect("reads");
        let counted: i64 = totals.iter().map(|total| total.people).sum();
        assert_eq!(counted.unsigned_abs() + left, people);
    })
    .await;
}

#[tokio::test]
async fn a_person_of_two_webinars_goes_with_the_last_one() {
    each_database("p44 two webinars", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        let key = world.person(guest.subject).await.expect("there").dek_id;
        // The same person stays on another webinar, which has no rule.
        let other = world.coach.create_webinar("Calm evenings").await.expect("a draft");
        let transaction = world.backend.db().begin().await.expect("begins");
        let booking = registration::Entity::find_by_id(guest.booking).one(&transaction).await.expect("reads");
        let twin = registration::ActiveModel {
            id: Set(domain::ids::RegistrationId::new()),
            webinar_id: Set(other),
            ..registration::ActiveModel::from(booking.expect("there")).reset_all()
        };
        registration::Entity::insert(twin).exec_without_returning(&transaction).await.expect("a twin");
        transaction.commit().await.expect("commits");
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        let form = domain::webinar::WebinarForm { retention_days: "7".to_owned(), ..editor.form };
        world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");
        world.backend.clock().advance_seconds(400 * DAY);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(count::<registration::Entity>(&world).await, 1);
        assert_eq!(world.person(guest.subject).await.expect("still there").state, "active");
        world.backend.keyring().key(key).await.expect("and can be read");

        // Her second rule takes the person along, key first.
        let editor = world.coach.webinar(other).await.expect("reads");
        let form = domain::webinar::WebinarForm { retention_days: "7".to_owned(), ..editor.form };
        world.coach.save_webinar(other, editor.revision, form).await.expect("saves");
        world.backend.keep_promises().await.expect("runs");
        assert!(world.person(guest.subject).await.is_none());
        assert!(matches!(world.backend.keyring().key(key).await, Err(persistence::Error::NoKey)));
    })
    .await;
}
