//! How an archive lives: asked for, written, fetched, ended; and who cannot do any of it.

use bytes::BytesMut;
use domain::archive::{ArchiveState, ArchiveView};
use domain::ids::ExportId;
use domain::{Refusal, RefusalKind};
use futures::TryStreamExt;
use persistence::entities::{export_archive, portal_session};
use sea_orm::{EntityTrait, Set};
use sha2::{Digest, Sha256};
use testkit::each_database;

use crate::rights::Whose;
use crate::world::World;
use crate::{Backend, Client, Result};

const PASSWORD: &str = "seven quiet otters";

fn refusal<T>(result: Result<T>) -> Refusal {
    match result {
        Ok(_) => panic!("not refused"),
        Err(error) => error.refusal().unwrap_or_else(|| panic!("{error:?}")).clone(),
    }
}

async fn row(world: &World, id: ExportId) -> Option<export_archive::Model> {
    export_archive::Entity::find_by_id(id).one(world.backend.db().reader()).await.expect("reads")
}

async fn seen(world: &World, id: ExportId) -> ArchiveView {
    world.coach.archives().await.expect("reads").into_iter().find(|one| one.id == id).expect("there")
}

/// Expiry and signature of a path.
fn proof(path: &str) -> (i64, String) {
    let (_, query) = path.split_once("?e=").expect("signed");
    let (expiry, signature) = query.split_once("&s=").expect("signed");
    (expiry.parse().expect("a number"), signature.to_owned())
}

/// A signed-in browser with the token its cookie holds.
async fn browser(world: &World) -> (String, crate::Coach) {
    let signed_in = world.backend.visitor().sign_in("maya@coach.example", &PASSWORD.into(), &Client::unknown()).await;
    let token = signed_in.expect("signs in").token;
    let coach = world.backend.coach_by_token(&token).await.expect("asked").expect("signed in");
    (token, coach)
}

async fn fetched(
    backend: &Backend,
    id: ExportId,
    path: &str,
    login: Option<&str>,
    portal: Option<&str>,
) -> Result<Vec<u8>> {
    let (expiry, signature) = proof(path);
    let fetch = backend.archive_to_fetch(id, (expiry, &signature), login, portal).await?;
    let size = fetch.size_bytes;
    let bytes: BytesMut = backend.read_archive(fetch, 0..size).await?.try_collect().await.expect("arrives whole");
    Ok(bytes.to_vec())
}

#[tokio::test]
async fn it_is_sealed_where_it_lies_and_open_where_it_is_fetched() {
    each_database("archive fetch", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let (token, coach) = browser(&world).await;
        let id = coach.ask_archive().await.expect("asked");
        assert_eq!(seen(&world, id).await.state, ArchiveState::Queued);
        assert_eq!(refusal(coach.archive_link(id).await).kind, RefusalKind::Conflict, "not yet");
        world.run_jobs().await;
        let view = seen(&world, id).await;
        assert_eq!((view.state, view.percent, view.omissions), (ArchiveState::Ready, 100, 0));

        let object = row(&world, id).await.expect("there").object_key.expect("an object");
        let lying = world.backend.bucket().get(&object).await.expect("reads");
        assert!(!lying.windows(4).any(|part| part == b"PK\x03\x04"), "nobody who reads the disk sees a ZIP");

        let path = coach.archive_link(id).await.expect("a path");
        let bytes = fetched(&world.backend, id, &path, Some(&token), None).await.expect("fetched");
        assert_eq!(Some(bytes.len() as u64), view.size_bytes);
        assert_eq!(Some(hex::encode(Sha256::digest(&bytes))), view.sha256);
        let file = world.file("fetched.zip");
        std::fs::write(&file, &bytes).expect("written");
        let key = world.backend.receipt_signer().public_key();
        super::check_archive(&file, Some(&key)).await.expect("is in order");

        // Any part of it is the same part.
        let (expiry, signature) = proof(&path);
        for range in [0..1, 65_535..65_537, bytes.len() as u64 - 1..bytes.len() as u64, 1_000..200_000] {
            let fetch = world.backend.archive_to_fetch(id, (expiry, &signature), Some(&token), None).await;
            let part: BytesMut = world
                .backend
                .read_archive(fetch.expect("may"), range.clone())
                .await
                .expect("reads")
                .try_collect()
                .await
                .expect("arrives");
            let (start, end) = (usize::try_from(range.start).expect("fits"), usize::try_from(range.end).expect("fits"));
            assert_eq!(part.as_ref(), &bytes[start..end]);
        }
        let mails = world.sent();
        for subject in ["An archive of your account was asked for", "Your archive is ready"] {
            let mail = mails.iter().find(|mail| mail.subject == subject).unwrap_or_else(|| panic!("no {subject}"));
            assert!(!mail.text.contains("/privacy/archives/"), "no mail leads to the file");
        }
    })
    .await;
}

#[tokio::test]
async fn the_path_is_good_for_one_person_one_session_and_ten_minutes() {
    each_database("archive link", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let (token, coach) = browser(&world).await;
        let (other_token, other) = browser(&world).await;
        let id = coach.ask_archive().await.expect("asked");
        world.run_jobs().await;
        let path = coach.archive_link(id).await.expect("a path");
        let backend = &world.backend;
        let missing = refusal(fetched(backend, ExportId::new(), &path, Some(&token), None).await);
        assert_eq!(missing.kind, RefusalKind::NotFound);
        let theirs = other.archive_link(id).await.expect("her other browser");
        let mut forged = path.clone();
        forged.pop();
        for (what, path, login) in [
            ("another browser of hers", &path, Some(other_token.as_str())),
            ("the other browser's path", &theirs, Some(token.as_str())),
            ("nobody", &path, None),
            ("no session", &path, Some("AAAA")),
            ("a cut signature", &forged, Some(token.as_str())),
            ("a later expiry", &path.replace("?e=1", "?e=2"), Some(token.as_str())),
        ] {
            assert_eq!(refusal(fetched(backend, id, path, login, Some("AAAA")).await), missing, "{what}");
        }
        assert!(fetched(backend, id, &path, Some(&token), None).await.is_ok());
        assert!(fetched(backend, id, &path, Some(&token), None).await.is_ok(), "and again");
        backend.clock().advance_seconds(601);
        assert_eq!(refusal(fetched(backend, id, &path, Some(&token), None).await).kind, RefusalKind::Gone);
        assert_eq!(refusal(coach.archive_link(id).await).kind, RefusalKind::NotAllowed, "five minutes are over");
        let wrong = refusal(coach.prove_again(&"not her password".into(), "").await);
        assert_eq!(wrong.field.as_deref(), Some("password"));
        coach.prove_again(&PASSWORD.into(), "").await.expect("proves");
        assert!(coach.archive_link(id).await.is_ok());
    })
    .await;
}

/// A session of the portal, as the portal writes one.
async fn portal(world: &World, token: &str) {
    let now = world.backend.now();
    let row = portal_session::ActiveModel {
        token_hash: Set(Sha256::digest(token.as_bytes()).to_vec()),
        address_ct: Set(vec![0]),
        created_at: Set(now),
        expires_at: Set(now.plus_seconds(1800)),
    };
    let transaction = world.backend.db().begin().await.expect("begins");
    portal_session::Entity::insert(row).exec_without_returning(&transaction).await.expect("a session");
    transaction.commit().await.expect("commits");
}

#[tokio::test]
async fn a_viewer_fetches_theirs_with_the_portals_session() {
    each_database("archive portal", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let whose = Whose::Viewer(world.id(), guests[0].subject);
        let backend = &world.backend;
        let id = backend.ask_archive(whose).await.expect("asked");
        world.run_jobs().await;
        portal(&world, "hers").await;
        portal(&world, "another").await;
        let path = backend.archive_link(whose, id, "hers").await.expect("a path");
        assert!(fetched(backend, id, &path, None, Some("hers")).await.is_ok());
        let (expiry, signature) = proof(&path);
        let fetch = backend.archive_to_fetch(id, (expiry, &signature), None, Some("hers")).await.expect("may");
        for _ in 0..2 {
            backend.note_fetch(&fetch).await.expect("is noted");
            backend.clock().advance_seconds(1);
        }
        world.run_jobs().await;
        let told = world.sent().into_iter().filter(|mail| mail.subject == "Your archive was downloaded");
        assert_eq!(told.count(), 1, "one path, one letter");
        for session in [None, Some("another"), Some("none")] {
            let answer = refusal(fetched(backend, id, &path, None, session).await);
            assert_eq!(answer.kind, RefusalKind::NotFound, "{session:?}");
        }
        let (token, _) = browser(&world).await;
        assert_eq!(refusal(fetched(backend, id, &path, Some(&token), None).await).kind, RefusalKind::NotFound);
        backend.clock().advance_seconds(1801);
        assert_eq!(refusal(fetched(backend, id, &path, None, Some("hers")).await).kind, RefusalKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_was_ended_is_over_also_while_it_is_written() {
    each_database("archive end", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let backend = &world.backend;
        let lying = |world: &World| world.objects().into_iter().filter(|path| path.contains("exports")).count();
        // Before it is written.
        let id = world.coach.ask_archive().await.expect("asked");
        world.coach.revoke_archive(id).await.expect("ended");
        world.run_jobs().await;
        assert_eq!((seen(&world, id).await.state, lying(&world)), (ArchiveState::Revoked, 0));
        // When it is there.
        let whose = Whose::Viewer(world.id(), guests[0].subject);
        let id = backend.ask_archive(whose).await.expect("asked");
        world.run_jobs().await;
        let dek = row(&world, id).await.expect("there").dek_id;
        assert_eq!(lying(&world), 1);
        backend.revoke_archive(whose, id).await.expect("ended");
        assert_eq!(lying(&world), 0);
        assert!(backend.keyring().keys(&[dek]).await.expect("asked").is_empty(), "its key is gone first");
        assert_eq!(refusal(backend.archive_link(whose, id, "session").await).kind, RefusalKind::Gone);
        // After seven days by itself.
        let whose = Whose::Viewer(world.id(), guests[1].subject);
        let id = backend.ask_archive(whose).await.expect("asked");
        world.run_jobs().await;
        backend.clock().advance_seconds(7 * 86_400 + 1);
        assert_eq!(refusal(backend.archive_link(whose, id, "session").await).kind, RefusalKind::Gone);
        assert!(backend.archives(whose).await.expect("reads").is_empty());
        backend.keep_promises().await.expect("runs");
        assert_eq!((row(&world, id).await, lying(&world)), (None, 0));
    })
    .await;
}

/// The writer died and left half a file; the next one begins anew, and only its own counts.
#[tokio::test]
async fn a_writer_that_died_leaves_nothing_that_looks_whole() {
    each_database("archive dies", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let backend = &world.backend;
        let id = world.coach.ask_archive().await.expect("asked");
        let left = format!("exports/{id}-dead.zip");
        backend.bucket().put(&left, "half".into()).await.expect("written");
        let transaction = backend.db().begin().await.expect("begins");
        assert!(persistence::exports::begin(&transaction, id, &left).await.expect("begins"));
        transaction.commit().await.expect("commits");
        world.run_jobs().await;
        assert_eq!(seen(&world, id).await.state, ArchiveState::Ready);
        let lying: Vec<_> = world.objects().into_iter().filter(|path| path.contains("exports")).collect();
        assert!(lying.len() == 1 && !lying[0].contains("dead"), "{lying:?}");
        // The dead one wakes up and wants to finish.
        let transaction = backend.db().begin().await.expect("begins");
        let goes_on = persistence::exports::progress(&transaction, id, &left, "Waking up", (1, 2)).await;
        assert!(!goes_on.expect("asked"));
    })
    .await;
}

#[tokio::test]
async fn erasing_a_viewer_ends_every_archive_they_are_in() {
    each_database("archive erase", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let backend = &world.backend;
        let hers = world.coach.ask_archive().await.expect("asked");
        let of_tom = backend.ask_archive(Whose::Viewer(world.id(), guests[0].subject)).await.expect("asked");
        let of_zoe = backend.ask_archive(Whose::Viewer(world.id(), guests[1].subject)).await.expect("asked");
        world.run_jobs().await;
        backend.erase_now("tom@example.net", Some("maya@coach.example")).await.expect("is erased");
        assert!(row(&world, of_tom).await.is_none() && row(&world, hers).await.is_none());
        assert!(row(&world, of_zoe).await.is_some(), "nobody else's");
        assert_eq!(world.objects().iter().filter(|path| path.contains("exports")).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_stolen_session_takes_nothing_along() {
    each_database("archive x18", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let (_, coach) = browser(&world).await;
        world.backend.clock().advance_seconds(301);
        let refused = refusal(coach.ask_archive().await);
        assert_eq!((refused.kind, refused.field.as_deref()), (RefusalKind::NotAllowed, Some("password")));
        // With the password, the thief changes it first: then nothing goes for three days, and the owner was told.
        coach.change_password(&PASSWORD.into(), &"nine loud badgers".into()).await.expect("changes");
        assert!(coach.is_freshly_proven().await.expect("asked"));
        assert_eq!(refusal(coach.ask_archive().await).kind, RefusalKind::Conflict);
        world.run_jobs().await;
        assert!(world.sent().iter().any(|mail| mail.subject == "Your password was changed"));
        world.backend.clock().advance_seconds(72 * 3600 + 1);
        coach.prove_again(&"nine loud badgers".into(), "").await.expect("proves");
        assert!(coach.ask_archive().await.is_ok());
    })
    .await;
}
