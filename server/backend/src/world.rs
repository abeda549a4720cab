//! A whole engine on a fresh database, for tests that tell a story: a coach with a published webinar, people who
//! register, mail that lands in a folder, a clock that moves by hand.

pub(crate) mod archives;

use bytes::Bytes;
use domain::ids::{CoachId, MailId, RegistrationId, SubjectId, VideoId, ViewId, WebinarId};
use domain::my_data::Errand;
use domain::registration::{Booking, RegistrationForm};
use domain::rights::{AccountState, SubjectState};
use domain::watching::Beat;
use futures::FutureExt;
use mail::{DevMailbox, Mailer, StoredMail};
use persistence::entities::{coach, mail as outbox, portal_proof, registration, subject};
use persistence::rights;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use storage::Bucket;
use tempfile::TempDir;
use testkit::TestDatabase;

use crate::rights::portal::Portal;
use crate::uploads::UploadMetadata;
use crate::watching::BeatAnswer;
use crate::{Backend, Client, Clock, Coach, Config, Operator, Parts, Secrets};

/// The recording the demo shows.
pub(crate) static RECORDING: &[u8] = include_bytes!("../../demo/sample.mp4");
pub(crate) const PASSWORD: &str = "seven quiet otters";

/// The engine and what it stands on.
pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) coach: Coach,
    pub(crate) webinar: WebinarId,
    pub(crate) slug: String,
    pub(crate) video: VideoId,
    folder: TempDir,
}

/// Somebody registered.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) subject: SubjectId,
    pub(crate) booking: RegistrationId,
    /// The token of the room's address.
    pub(crate) token: String,
}

/// An engine with a folder for everything that is no database.
pub(crate) fn engine(test: &TestDatabase, folder: &TempDir) -> Backend {
    let mailbox = DevMailbox::open(&folder.path().join("mail")).expect("a folder for mail");
    engine_with(test, folder, Mailer::Dev(mailbox))
}

/// The same with a way out of one's own for mail.
pub(crate) fn engine_with(test: &TestDatabase, folder: &TempDir, mailer: Mailer) -> Backend {
    let bucket = Bucket::open(&format!("file://{}/objects", folder.path().display()), None).expect("a bucket");
    Backend::new(Parts {
        config: Config {
            base_url: "https://webinar.example".parse().expect("a URL"),
            mail_from: "hello@webinar.example".to_owned(),
            bounce_mailbox: Some("bounces@mail.example".to_owned()),
            contact_email: "privacy@webinar.example".to_owned(),
            quota_bytes: crate::config::DEFAULT_QUOTA_BYTES,
            work_dir: folder.path().join("work"),
            dev: true,
        },
        clock: Clock::system(),
        secrets: Secrets::new([5; 32]),
        database: test.database.clone(),
        keyring: test.keyring.clone(),
        bucket,
        mailer,
    })
}

impl World {
    /// A coach with a published webinar, its mail sent.
    pub(crate) async fn published(test: &TestDatabase) -> Self {
        let folder = TempDir::new().expect("a folder");
        let backend = engine(test, &folder);
        Self::published_with(backend, folder).await
    }

    /// The same with an engine of one's own.
    pub(crate) async fn published_with(backend: Backend, folder: TempDir) -> Self {
        let email = "maya@coach.example";
        backend.create_account("Maya Lindqvist", email, &PASSWORD.into()).await.expect("an account");
        let signed_in = backend.visitor().sign_in(email, &PASSWORD.into(), &Client::unknown()).await.expect("signs in");
        let coach = backend.coach_by_token(&signed_in.token).await.expect("asked").expect("signed in");
        let webinar = coach.create_webinar("Calm mornings").await.expect("a draft");
        let upload = UploadMetadata { file_name: "calm.mp4".to_owned(), webinar: Some(webinar) };
        let upload = coach.uploader().create_upload(RECORDING.len() as u64, upload).await.expect("an upload");
        let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(RECORDING))]);
        coach.uploader().append(upload.id, 0, None, body).await.expect("arrives");
        let view = coach.publish(webinar).await.expect("publishes");
        let video = view.video.expect("a recording").id;
        Self { backend, coach, webinar, slug: view.form.slug, video, folder }
    }

    /// Keeps backups in a folder beside the objects, and tells where.
    pub(crate) fn keep_backups(&self) -> std::path::PathBuf {
        let folder = self.folder.path().join("backups");
        self.backend.keep_backups_in(place(&folder, BACKUP_KEY));
        folder
    }

    /// Presses the button of the registration page like a person.
    pub(crate) async fn press(&self, form: RegistrationForm) -> crate::Result<Booking> {
        let invitation = self.backend.visitor().invitation(&self.slug, None, None).await?;
        self.backend.clock().advance_seconds(2);
        let form = RegistrationForm { form_stamp: invitation.form_stamp, ..form };
        self.backend.visitor().register(&self.slug, &form, &Client::unknown()).await
    }

    /// The form of somebody who agrees.
    pub(crate) fn form(email: &str) -> RegistrationForm {
        RegistrationForm { email: email.to_owned(), consent: Some("yes".to_owned()), ..RegistrationForm::default() }
    }

    /// Somebody registers for the first time.
    pub(crate) async fn guest(&self, email: &str) -> Guest {
        let booking = self.press(Self::form(email)).await.expect("registers");
        let token = booking.room_path.rsplit('/').next().expect("a token").to_owned();
        let id = self.backend.room_token_names(&token).expect("names a booking");
        let row = registration::Entity::find_by_id(id).one(self.backend.db().reader()).await.expect("reads");
        Guest { subject: row.expect("a booking").subject_id, booking: id, token }
    }

    /// Switches a coach's second factor on; answers with its recovery codes.
    pub(crate) async fn switch_on_factor(&self, coach: &Coach) -> Vec<String> {
        coach.begin_second_factor(&PASSWORD.into()).await.expect("begins");
        let row = persistence::accounts::coach(self.backend.db().reader(), coach.id()).await.expect("reads");
        let totp = self.backend.open_totp(&row.expect("an account")).expect("opens").expect("begun");
        let digits = totp.generate(self.backend.now().unix_seconds().unsigned_abs()).to_string();
        coach.enable_second_factor(&digits).await.expect("on").0
    }

    /// Somebody new on a free seat, signed in with a second factor.
    pub(crate) async fn operator(&self, email: &str) -> Operator {
        self.backend.create_account("Olga", email, &PASSWORD.into()).await.expect("an account");
        self.backend.add_operator(email).await.expect("a seat");
        let visitor = self.backend.visitor();
        let signed_in = visitor.sign_in(email, &PASSWORD.into(), &Client::unknown()).await.expect("signs in");
        let coach = self.backend.coach_by_token(&signed_in.token).await.expect("asked").expect("signed in");
        let code = self.switch_on_factor(&coach).await.pop().expect("a code");
        let half = visitor.sign_in(email, &PASSWORD.into(), &Client::unknown()).await.expect("half way");
        let whole = visitor.second_factor(&half.token, &code, &Client::unknown()).await.expect("signs in");
        let coach = self.backend.coach_by_token(&whole.token).await.expect("asked").expect("signed in");
        coach.operator().await.expect("an operator")
    }

    /// Whose account it is.
    pub(crate) const fn id(&self) -> CoachId {
        self.coach.id()
    }

    /// Moves a person to a state, the way an erasure or a restriction does.
    pub(crate) async fn set_person(&self, subject: SubjectId, to: SubjectState) -> crate::Result<bool> {
        let coach = self.id();
        self.backend
            .fence(move |transaction| {
                async move { Ok(rights::set_subject_state(transaction, coach, subject, SubjectState::ALL, to).await?) }
                    .boxed()
            })
            .await
    }

    /// Moves the account to a state, the way its own requests do.
    pub(crate) async fn set_account(&self, to: AccountState) {
        let coach = self.id();
        let moved = self.backend.fence(move |transaction| {
            async move { Ok(rights::set_account_state(transaction, coach, AccountState::ALL, to).await?) }.boxed()
        });
        assert!(moved.await.expect("moves"), "the account is there");
    }

    /// Does all work that is due.
    pub(crate) async fn run_jobs(&self) {
        self.backend.run_due_jobs("test").await.expect("the queue is read");
    }

    /// Mail that was really sent, newest first.
    pub(crate) fn sent(&self) -> Vec<StoredMail> {
        self.backend.mailer().dev_mailbox().expect("the dev mailbox").list().expect("reads")
    }

    /// Mail that was sent to an address.
    pub(crate) fn sent_to(&self, address: &str) -> usize {
        self.sent().iter().filter(|mail| mail.to == address).count()
    }

    /// Planned mail of a booking, oldest first: id and state.
    pub(crate) async fn planned(&self, booking: RegistrationId) -> Vec<(MailId, String)> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::RegistrationId.eq(booking))
            .order_by_asc(outbox::Column::Id)
            .all(self.backend.db().reader())
            .await
            .expect("reads");
        rows.into_iter().map(|row| (row.id, row.state)).collect()
    }

    /// The same without what its webinar's sequence planned: mails of their own, each sent by a job of its own.
    pub(crate) async fn letters(&self, booking: RegistrationId) -> Vec<(MailId, String)> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::RegistrationId.eq(booking))
            .filter(outbox::Column::TemplateId.is_null())
            .order_by_asc(outbox::Column::Id)
            .all(self.backend.db().reader())
            .await
            .expect("reads");
        rows.into_iter().map(|row| (row.id, row.state)).collect()
    }

    /// Somebody registers, and their link is about to be mailed to them again.
    pub(crate) async fn guest_to_be_mailed(&self, email: &str) -> Guest {
        let guest = self.guest(email).await;
        self.coach.resend_link(self.webinar, guest.booking).await.expect("planned");
        guest
    }

    /// Opens the room and answers what the page measures with.
    pub(crate) async fn open_room(&self, guest: &Guest) -> Option<ViewId> {
        let room = self.backend.visitor().room(&guest.token, Some(&Client::unknown())).await.expect("opens");
        room.player.expect("plays").view
    }

    /// Proves an address at the viewers' portal, by the link of its mail, and opens it.
    pub(crate) async fn portal(&self, address: &str, errand: Errand) -> Portal {
        let visitor = self.backend.visitor();
        visitor.ask_for_my_data(address, errand, &Client::unknown()).await.expect("asks");
        let find = portal_proof::Entity::find().order_by_desc(portal_proof::Column::Id);
        let proof = find.one(self.backend.db().reader()).await.expect("reads").expect("a proof");
        let token = self.backend.portal_token(proof.id, &proof.purpose);
        let opened = visitor.prove_by_link(&token).await.expect("opens");
        assert_eq!(opened.errand, errand);
        self.backend.portal_by_token(&opened.token).await.expect("reads").expect("is open")
    }

    /// Corrects a viewer's address at the portal, as they do: by the code that is mailed to the new one.
    pub(crate) async fn correct_address(&self, from: &str, to: &str) {
        let portal = self.portal(from, Errand::Myself).await;
        portal.ask_new_address(self.id(), to).await.expect("asked");
        self.run_jobs().await;
        let mail = self.sent().into_iter().find(|mail| mail.to == to).expect("the code");
        let is_code = |line: &&str| line.len() == 9 && line.chars().all(|c| c == ' ' || c.is_ascii_digit());
        let code = mail.text.lines().find(is_code).expect("a code");
        portal.prove_new_address(self.id(), to, code).await.expect("proven");
    }

    /// Ten seconds of play.
    pub(crate) async fn watch(&self, view: ViewId, seq: u32) -> BeatAnswer {
        self.backend.clock().advance_seconds(10);
        self.backend.beat(beat(view, seq)).await.expect("answers")
    }

    /// The row of a person, whatever their state.
    pub(crate) async fn person(&self, subject: SubjectId) -> Option<subject::Model> {
        subject::Entity::find_by_id(subject).one(self.backend.db().reader()).await.expect("reads")
    }

    /// The row of the account.
    pub(crate) async fn account(&self) -> coach::Model {
        let row = coach::Entity::find_by_id(self.id()).one(self.backend.db().reader()).await.expect("reads");
        row.expect("the account")
    }

    /// Every object in the bucket, staged parts included.
    pub(crate) fn objects(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("objects")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.path().display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

/// The key backups are sealed with here.
pub(crate) const BACKUP_KEY: [u8; 32] = [9; 32];

/// A folder of backups, with this key.
pub(crate) fn place(folder: &std::path::Path, key: [u8; 32]) -> backup::Place {
    let bucket = Bucket::open(&format!("file://{}", folder.display()), None).expect("a folder for backups");
    backup::Place::new(bucket, backup::Key::new(key))
}

/// A beat of ten seconds from the beginning.
pub(crate) fn beat(view: ViewId, seq: u32) -> Beat {
    let from = f64::from(seq.saturating_sub(1)) * 10.0;
    Beat { view, seq, from, to: from + 10.0, rate: 1.0, hidden: false, muted: false, captions: false }
}

/// The kind of "no".
pub(crate) fn refused<T>(result: crate::Result<T>) -> domain::RefusalKind {
    match result {
        Ok(_) => panic!("it has to be refused"),
        Err(error) => error.refusal().expect("a refusal and no fault").kind,
    }
}

/// Rows of an entity.
pub(crate) async fn count<E: EntityTrait>(world: &World) -> u64
where
    E::Model: Send + Sync,
{
    use sea_orm::PaginatorTrait;
    E::find().count(world.backend.db().reader()).await.expect("counts")
}
