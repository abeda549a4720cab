//! Many mails at once through the real binary, the real outbox and Postfix's sink: what a killed server leaves is sent by
//! the next, and two servers share the work.
//!
//! A session thousands booked is called off; each of them is to be told once.

use backend::{Backend, Client, Coach};
use domain::ids::{RegistrationId, SessionId, WebinarId};
use domain::schedule::{MoveForm, SessionName};
use persistence::entities::webinar;
use persistence::schedules::WantedSession;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use server::config::{Config, Flags};
use server::state::open_backend;
use testkit::{Kind, MailSink, each_empty_database};

use crate::installation::{Installation, Running, client};

/// People to be told.
const PEOPLE: usize = 10_000;
/// Mails a server hands over before it writes down that they went (`AT_ONCE` of its sending): what a kill may double. Of
/// the next ones, which it has taken already, none has gone.
const IN_FLIGHT: usize = 128;

async fn engine(installation: &Installation) -> Backend {
    let variables = installation.variables().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    open_backend(&Config::from_variables(&Flags::default(), &variables).expect("is configured")).await.expect("opens")
}

/// A published webinar with a session so many people booked.
pub struct Booked {
    pub backend: Backend,
    pub coach: Coach,
    pub webinar: WebinarId,
    pub session: SessionId,
    pub people: Vec<RegistrationId>,
}

/// So many people on a session in two days.
pub async fn booked(installation: &Installation, people: usize) -> Booked {
    let backend = engine(installation).await;
    let (email, password) = ("maya@example.com", "quiet lantern meadow");
    backend.create_account("Maya", email, &password.into()).await.expect("an account");
    let signed_in = backend.visitor().sign_in(email, &password.into(), &Client::unknown()).await.expect("signs in");
    let coach = backend.coach_by_token(&signed_in.token).await.expect("reads").expect("is signed in");
    let id: WebinarId = coach.create_webinar("Calm mornings").await.expect("a webinar");
    let now = backend.now();
    let starts_at = now.plus_days(2);
    let wanted = WantedSession::scheduled(starts_at, "Europe/Paris");
    let transaction = backend.db().begin().await.expect("begins");
    webinar::Entity::update_many()
        .col_expr(webinar::Column::State, Expr::value("published"))
        .filter(webinar::Column::Id.eq(id))
        .exec(&transaction)
        .await
        .expect("is published");
    let session = persistence::schedules::session(&transaction, id, &wanted, now).await.expect("made").expect("is on");
    let people = testkit::crowd(&transaction, backend.keyring(), (coach.id(), id, session), people, now).await;
    transaction.commit().await.expect("commits");
    Booked { backend, coach, webinar: id, session, people }
}

/// So many people on a session that its coach has just called off.
async fn calling_off(installation: &Installation, people: usize) {
    let Booked { backend, coach, webinar, session, .. } = booked(installation, people).await;
    coach.call_off_session(webinar, &SessionName::Booked(session), &MoveForm::default()).await.expect("is called off");
    backend.close().await;
}

async fn go_on(server: &Running, seconds: u32) {
    let moved = client().post(server.url("/dev/clock")).json(&serde_json::json!({ "advance_seconds": seconds }));
    let answer = moved.send().await.expect("answers");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_ten_thousand_mails_loses_none() {
    let Some(sink) = MailSink::start() else { return };
    let installation = Installation::new().with("MW_DEV", "1").with("MW_SMTP_URL", &*sink.url);
    calling_off(&installation, PEOPLE).await;
    let server = installation.serve();
    sink.has(PEOPLE / 5).await;
    let installation = server.kill();
    let (at_the_kill, _) = sink.came();
    assert!(at_the_kill.len() < PEOPLE, "it was over before it was killed");

    let server = installation.serve();
    // What the dead one had under way is taken up again once nobody can be sending it any more.
    go_on(&server, 100).await;
    sink.has(PEOPLE).await;
    go_on(&server, 100).await;
    assert!(server.stop(), "ends well");
    let (mails, people) = sink.came();
    assert_eq!((mails.len(), people.len()), (PEOPLE, PEOPLE), "mails and people");
    let doubled = mails.values().filter(|times| **times > 1).count();
    assert!(doubled <= IN_FLIGHT && mails.values().all(|times| *times <= 2), "{doubled} came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_postgresql_send_each_mail_once() {
    each_empty_database("two senders", |test| async move {
        if test.kind == Kind::Sqlite {
            return;
        }
        let Some(sink) = MailSink::start() else { return };
        let first = Installation::new()
            .with("MW_DEV", "1")
            .with("MW_SMTP_URL", &*sink.url)
            .with("MW_DATABASE_URL", &*test.url)
            .with("MW_KEYRING_URL", &*test.keyring_url);
        // Two servers of one installation share its folder: key and recordings.
        let second = first.twin();
        calling_off(&first, PEOPLE / 5).await;
        let (first, second) = (first.serve(), second.serve());
        sink.has(PEOPLE / 5).await;
        go_on(&first, 100).await;
        go_on(&second, 100).await;
        assert!(second.stop() && first.stop(), "both end well");
        let (mails, people) = sink.came();
        assert_eq!((mails.len(), people.len()), (PEOPLE / 5, PEOPLE / 5));
        assert!(mails.values().all(|times| *times == 1), "a mail came twice");
    })
    .await;
}
