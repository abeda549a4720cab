//! An installation of its own, and people in it.

use std::sync::atomic::{AtomicU8, Ordering};

use backend::uploads::UploadMetadata;
use backend::{Backend, Client, Clock, Coach, Config, Parts, Secrets};
use bytes::Bytes;
use domain::ids::{
    CoachId, ExportId, IncidentId, ObjectionId, OperatorAccessId, RecoveryCodeId, RegistrationId, RequestId,
    RestrictionId, ScheduleRuleId, SubjectId, SuppressionId, WebinarId,
};
use domain::registration::RegistrationForm;
use domain::rights::{Regime, RightKind};
use domain::watching::Beat;
use domain::webinar::{Asked, FieldChoice, WebinarForm};
use mail::{DevMailbox, Mailer};
use persistence::entities::{
    erased_total, export_archive, incident, incident_coach, objection, operator_access, policy_notice, recovery_code,
    registration, restriction, schedule_rule, subject, suppression,
};
use persistence::sealed::Place;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use storage::Bucket;
use tempfile::TempDir;
use testkit::TestDatabase;

static SAMPLE: &[u8] = include_bytes!("../../../demo/sample.mp4");
const PASSWORD: &str = "quiet-lantern-meadow";

/// Everything around one engine.
pub struct World {
    pub backend: Backend,
    /// Lives as long as the engine does.
    _folder: TempDir,
    networks: AtomicU8,
    /// Whether recordings get their posters, which takes seconds each.
    posters: bool,
}

/// A coach and what is unmistakably hers.
pub struct SeededCoach {
    pub coach: Coach,
    pub webinar: WebinarId,
    pub slug: String,
    /// Words that are nowhere else; the address is the first.
    pub needles: Vec<String>,
}

/// A viewer and what is unmistakably theirs.
pub struct SeededViewer {
    pub coach: CoachId,
    pub subject: SubjectId,
    pub email: String,
    /// Words that are nowhere else; the address is the first.
    pub needles: Vec<String>,
    /// An earlier request.
    pub earlier: RequestId,
}

impl World {
    pub fn new(test: &TestDatabase) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("work")).expect("a work folder");
        let objects = format!("file://{}", path("objects").display());
        let parts = Parts {
            config: Config {
                base_url: "http://127.0.0.1:3000".parse().expect("a URL"),
                mail_from: "hello@installation.test".to_owned(),
                bounce_mailbox: Some("bounces@installation.test".to_owned()),
                contact_email: "privacy@installation.test".to_owned(),
                quota_bytes: backend::config::DEFAULT_QUOTA_BYTES,
                work_dir: path("work"),
                dev: true,
            },
            clock: Clock::system(),
            secrets: Secrets::new([5; 32]),
            database: test.database.clone(),
            keyring: test.keyring.clone(),
            bucket: Bucket::open(&objects, None).expect("a bucket"),
            mailer: Mailer::Dev(DevMailbox::open(&path("mailbox")).expect("a mailbox")),
        };
        Self { backend: Backend::new(parts), _folder: folder, networks: AtomicU8::new(0), posters: true }
    }

    /// For many coaches at once.
    pub fn without_posters(test: &TestDatabase) -> Self {
        Self { posters: false, ..Self::new(test) }
    }

    /// A browser on a network of its own, so that limits on networks do not meet.
    pub fn client(&self) -> Client {
        let number = self.networks.fetch_add(1, Ordering::Relaxed);
        Client { network: [4, 10, number, 0, 0, 0], ..Client::unknown() }
    }

    pub async fn work(&self) {
        self.backend.run_due_jobs("canary").await.expect("jobs run");
    }

    /// Lets the periodic job look now, instead of running everything periodic for weeks.
    pub async fn keep_promises(&self) {
        let now = self.backend.now();
        let job = jobs::NewJob {
            kind: backend::rights::keep_promises::KEEP_PROMISES,
            payload: serde_json::json!({}),
            run_at: now,
            idempotency_key: None,
            max_attempts: 1,
        };
        let transaction = self.backend.db().begin().await.expect("begins");
        jobs::enqueue(&transaction, job, now).await.expect("is planned");
        transaction.commit().await.expect("commits");
        self.work().await;
    }

    /// A coach with a webinar, a recording, captions, an upload under way, and rows in every table of hers.
    pub async fn coach(&self, tag: &str) -> SeededCoach {
        let backend = &self.backend;
        let word = |what: &str| format!("qx{what}{tag}zq");
        let email = format!("{}@canary.test", word("mail"));
        backend.create_account(&word("name"), &email, &PASSWORD.into()).await.expect("an account");
        let signed_in = backend.visitor().sign_in(&email, &PASSWORD.into(), &self.client()).await.expect("signs in");
        let coach = backend.coach_by_token(&signed_in.token).await.expect("asks").expect("is signed in");
        let new_email = format!("{}@canary.test", word("newmail"));
        coach.change_email(&PASSWORD.into(), &new_email).await.expect("asks for another address");
        let webinar = coach.create_webinar(&word("title")).await.expect("a webinar");
        let current = coach.webinar(webinar).await.expect("is there");
        let slug = word("slug");
        let form = WebinarForm {
            title: word("title"),
            slug: slug.clone(),
            description: word("text"),
            presenter: word("presenter"),
            session_kind: "on_demand".to_owned(),
            link_days: "14".to_owned(),
            floor_seconds: "10".to_owned(),
            consent_text: format!("I agree that {} runs this webinar and sees that I watched it.", word("consent")),
            fields: FieldChoice { first_name: Asked::Optional, company: Asked::Optional, ..FieldChoice::default() },
            ..current.form.clone()
        };
        coach.save_webinar(webinar, current.revision, form).await.expect("is saved");
        self.recording(&coach, webinar, tag).await;
        coach.publish(webinar).await.expect("is published");
        let client = self.client();
        backend.visitor().count_page_view(&slug, &client, &word("pagesource"));
        backend.write_page_views().await.expect("is counted");
        self.rows_of_a_coach(coach.id(), webinar, tag).await;
        let needles = [
            "name",
            "title",
            "text",
            "presenter",
            "consent",
            "slug",
            "file",
            "bytes",
            "staged",
            "caption",
            "pagesource",
            "rule",
            "reason",
        ];
        let mut words = vec![email.clone(), new_email, coach.id().to_string(), webinar.to_string()];
        words.extend(needles.map(word));
        SeededCoach { coach, webinar, slug, needles: words }
    }

    async fn recording(&self, coach: &Coach, webinar: WebinarId, tag: &str) {
        let metadata = |name: String| UploadMetadata { file_name: name, webinar: Some(webinar) };
        let uploader = coach.uploader();
        // A box every player skips.
        let mark = format!("qxbytes{tag}zq");
        let mut file = SAMPLE.to_vec();
        file.extend(u32::try_from(8 + mark.len()).expect("is short").to_be_bytes());
        file.extend(b"free");
        file.extend(mark.as_bytes());
        let whole = uploader.create_upload(file.len() as u64, metadata(format!("qxfile{tag}zq.mp4"))).await;
        let body = |bytes: Vec<u8>| futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
        uploader.append(whole.expect("begins").id, 0, None, body(file)).await.expect("arrives");
        if !self.posters {
            let transaction = self.backend.db().begin().await.expect("begins");
            let forget = "DELETE FROM job WHERE kind = 'process_video'";
            transaction.execute_unprepared(forget).await.expect("is forgotten");
            transaction.commit().await.expect("commits");
        }
        let video = coach.webinar(webinar).await.expect("is there").video.expect("a recording");
        let captions = format!("WEBVTT\n\n00:00.000 --> 00:02.000\nqxcaption{tag}zq\n");
        coach.add_caption(video.id, "en", "English", captions.as_bytes()).await.expect("captions");
        let mut part = SAMPLE[..8_192].to_vec();
        part.extend(format!("qxstaged{tag}zq").as_bytes());
        let open = uploader.create_upload(SAMPLE.len() as u64, metadata(format!("qxfile{tag}zq.mp4"))).await;
        uploader.append(open.expect("begins").id, 0, None, body(part)).await.expect("a part arrives");
    }

    /// Tables whose verbs belong to others, written directly.
    async fn rows_of_a_coach(&self, coach: CoachId, webinar: WebinarId, tag: &str) {
        let now = self.backend.now();
        let transaction = self.backend.db().begin().await.expect("begins");
        let code = recovery_code::ActiveModel {
            id: Set(RecoveryCodeId::new()),
            coach_id: Set(coach),
            code_hash: Set(vec![1; 32]),
            used_at: Set(None),
            created_at: Set(now),
        };
        code.insert(&transaction).await.expect("a recovery code");
        let rule = schedule_rule::ActiveModel {
            id: Set(ScheduleRuleId::new()),
            webinar_id: Set(webinar),
            kind: Set("fixed".to_owned()),
            zone: Set(None),
            wall_time: Set(None),
            rule: Set(format!("qxrule{tag}zq")),
            created_at: Set(now),
        };
        rule.insert(&transaction).await.expect("a rule");
        let access = operator_access::ActiveModel {
            id: Set(OperatorAccessId::new()),
            seat: Set(1),
            coach_id: Set(coach),
            what: Set("account".to_owned()),
            reason: Set(format!("qxreason{tag}zq")),
            at: Set(now),
        };
        access.insert(&transaction).await.expect("an access");
        let notice = policy_notice::ActiveModel {
            coach_id: Set(coach),
            version: Set("2".to_owned()),
            noticed_at: Set(now),
            acknowledged_at: Set(None),
        };
        notice.insert(&transaction).await.expect("a notice");
        let breach = incident::ActiveModel {
            id: Set(IncidentId::new()),
            class: Set("email".to_owned()),
            from_at: Set(now),
            to_at: Set(now),
            found_at: Set(now),
            report_due_at: Set(now.plus_days(3)),
            reported_at: Set(Some(now)),
            seat: Set(1),
            summary: Set("A test.".to_owned()),
            coaches: Set(1),
            people: Set(1),
        };
        let breach = breach.insert(&transaction).await.expect("a breach");
        let concerned = incident_coach::ActiveModel {
            incident_id: Set(breach.id),
            coach_id: Set(coach),
            is_own: Set(true),
            people: Set(1),
            told_at: Set(now),
        };
        concerned.insert(&transaction).await.expect("a coach concerned");
        let total =
            erased_total::ActiveModel { webinar_id: Set(webinar), outcome: Set("missed".to_owned()), people: Set(3) };
        total.insert(&transaction).await.expect("a total");
        transaction.commit().await.expect("commits");
    }

    /// A viewer who registered and watched, with rows in every table of theirs. `email` is given where it has to be
    /// somebody else's as well.
    pub async fn viewer(&self, of: &SeededCoach, tag: &str, email: Option<&str>) -> SeededViewer {
        let backend = &self.backend;
        let word = |what: &str| format!("qv{what}{tag}zq");
        let email = email.map_or_else(|| format!("{}@canary.test", word("mail")), str::to_owned);
        let visitor = backend.visitor();
        let invitation = visitor.invitation(&of.slug, None, None).await.expect("an invitation");
        backend.clock().advance_seconds(2);
        let form = RegistrationForm {
            email: email.clone(),
            first_name: word("first"),
            company: word("company"),
            consent: Some("on".to_owned()),
            form_stamp: invitation.form_stamp,
            source: word("source"),
            ..RegistrationForm::default()
        };
        let client = self.client();
        let booking = visitor.register(&of.slug, &form, &client).await.expect("registers");
        let token = booking.room_path.strip_prefix("/r/").expect("a room").to_owned();
        let view = visitor.room(&token, Some(&client)).await.expect("a room").player.expect("a player").view;
        let view = view.expect("a visit");
        for seq in 0..3 {
            backend.clock().advance_seconds(11);
            let from = f64::from(seq) * 10.0;
            let beat =
                Beat { view, seq, from, to: from + 10.0, rate: 1.0, hidden: false, muted: false, captions: false };
            backend.beat(beat).await.expect("is kept");
        }
        let registration = backend.room_token_names(&token).expect("names a registration");
        // A letter with a job of its own, beside those of the sequence.
        of.coach.resend_link(of.webinar, registration).await.expect("is mailed again");
        let (subject, earlier) = self.rows_of_a_viewer(of.coach.id(), registration, tag).await;
        self.work().await;
        let mut needles = vec![email.clone(), subject.to_string(), registration.to_string(), view.to_string()];
        needles.extend(["first", "company", "source", "words", "archive"].map(word));
        SeededViewer { coach: of.coach.id(), subject, email, needles, earlier }
    }

    async fn rows_of_a_viewer(
        &self,
        coach: CoachId,
        registration: RegistrationId,
        tag: &str,
    ) -> (SubjectId, RequestId) {
        let backend = &self.backend;
        let now = backend.now();
        let reader = backend.db().reader();
        let booked = registration::Entity::find_by_id(registration).one(reader).await.expect("reads").expect("there");
        let id = booked.subject_id;
        let row = subject::Entity::find()
            .filter(subject::Column::Id.eq(id))
            .one(reader)
            .await
            .expect("reads")
            .expect("is there");
        let key = backend.keyring().key(row.dek_id).await.expect("a key");
        let (archive_key, _) = backend.keyring().create_key(now).await.expect("a key");
        let request_key = backend.request_key(now).await.expect("a key");
        let archive = format!("exports/{}.zip", ExportId::new());
        backend.bucket().put(&archive, Bytes::from(format!("qvarchive{tag}zq"))).await.expect("an archive");
        let transaction = backend.db().begin().await.expect("begins");
        let held = restriction::ActiveModel {
            id: Set(RestrictionId::new()),
            subject_id: Set(id),
            ground: Set("accuracy".to_owned()),
            from_at: Set(now),
            lift_notice_at: Set(None),
            lifted_at: Set(Some(now)),
        };
        held.insert(&transaction).await.expect("a restriction");
        let objected = ObjectionId::new();
        let reason = key.seal(Place::ObjectionReason, objected.as_bytes(), format!("qvwords{tag}zq").as_bytes());
        let objected = objection::ActiveModel {
            id: Set(objected),
            subject_id: Set(id),
            scope: Set("analytics".to_owned()),
            reason_ct: Set(Some(reason)),
            answer_ct: Set(None),
            made_at: Set(now),
            answer_due_at: Set(now.plus_days(30)),
            decision: Set(None),
            decided_at: Set(None),
        };
        objected.insert(&transaction).await.expect("an objection");
        let mark = suppression::ActiveModel {
            id: Set(SuppressionId::new()),
            coach_id: Set(coach),
            email_bidx: Set(row.email_bidx),
            channel: Set("mail".to_owned()),
            created_at: Set(now),
            strikes: Set(None),
            until_at: Set(None),
        };
        mark.insert(&transaction).await.expect("a mark");
        let stored = export_archive::ActiveModel {
            id: Set(ExportId::new()),
            subject_kind: Set("viewer".to_owned()),
            coach_id: Set(coach),
            subject_id: Set(Some(id)),
            dek_id: Set(archive_key),
            state: Set("ready".to_owned()),
            step: Set("done".to_owned()),
            done_rows: Set(1),
            total_rows: Set(1),
            omissions: Set(0),
            object_key: Set(Some(archive)),
            size_bytes: Set(Some(1)),
            sha256: Set(None),
            downloads: Set(0),
            last_link_at: Set(None),
            created_at: Set(now),
            ready_at: Set(Some(now)),
            expires_at: Set(now.plus_days(7)),
        };
        stored.insert(&transaction).await.expect("an archive");
        let asked = backend::rights::Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Access,
            whose: backend::rights::Whose::Viewer(coach, id),
            undo_until: None,
            details: backend::rights::Details { words: format!("qvwords{tag}zq"), ..Default::default() },
        };
        let earlier = backend.open_request(&transaction, &request_key, &asked, now).await.expect("a request");
        transaction.commit().await.expect("commits");
        (id, earlier)
    }
}
