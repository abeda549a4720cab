//! Two coaches who know nothing of each other, and everything one of them owns, by its id.

use backend::rights::Whose;
use domain::ids::{
    CaptionId, CoachId, DisclosureId, ExportId, IncidentId, LegalHoldId, LoginId, MailTemplateId, ObjectionId,
    RegistrationId, RequestId, ScheduleRuleId, SessionId, UploadId, VideoId, ViewId, WebinarId,
};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};

use super::seats::Factor;
use super::{Coach, Registrant, SAMPLE, Waiting, Webinar, World};

/// The two of them.
pub struct Story {
    /// She owns what [`Self::hers`] names, and is one of the two operators.
    pub maya: Coach,
    /// Her second factor.
    pub factor: Factor,
    /// What the cookie of her other browser holds.
    pub other_browser: String,
    /// The other operator.
    pub nora: Coach,
    /// He has an account and a published webinar of his own.
    pub tom: Coach,
    /// Hers: published, with recording, captions, a registrant and an upload under way.
    pub webinar: Webinar,
    /// Hers: never published.
    pub draft: Webinar,
    /// Registered for [`Self::webinar`].
    pub anna: Registrant,
    /// Everything of hers by its id.
    pub hers: Ids,
}

/// One id of every kind a request can name.
#[derive(Clone, Debug)]
pub struct Ids {
    /// A published webinar.
    pub webinar: WebinarId,
    /// Its address.
    pub slug: String,
    /// A webinar that was never published.
    pub draft: WebinarId,
    /// A rule that yields sessions.
    pub rule: ScheduleRuleId,
    /// A session to come.
    pub session: SessionId,
    /// Another one.
    pub other_session: SessionId,
    /// When that one starts.
    pub other_start: String,
    /// A reminder of its sequence of mails.
    pub template: MailTemplateId,
    /// Where the registration's person ends such mail, `/u/{choice}`.
    pub choice: String,
    /// A recording.
    pub video: VideoId,
    /// A caption track.
    pub caption: CaptionId,
    /// An upload under way.
    pub upload: UploadId,
    /// A registration.
    pub registration: RegistrationId,
    /// A visit of that registration.
    pub view: ViewId,
    /// Path of that registration's room.
    pub room: String,
    /// A signed-in browser, not the one that asks.
    pub login: LoginId,
    /// An account's address.
    pub email: String,
    /// What the registration form of [`Self::slug`] is stamped with.
    pub stamp: String,
    /// The coach.
    pub coach: CoachId,
    /// What the portal's cookie of that registration's person holds.
    pub portal: String,
    /// The token of a mail that opens the portal for them.
    pub proof: String,
    /// What waits for an answer.
    pub waiting: Waiting,
    /// Recovery codes of hers, each good once.
    pub codes: Vec<String>,
    /// An archive of hers, two days old.
    pub archive: ExportId,
    /// A day that is ahead, as a form writes it.
    pub day: String,
    /// The address of somebody registered who is too young.
    pub child: String,
}

/// An archive that is ready, and old enough for another to be asked for.
async fn archive_of(world: &World, coach: CoachId) -> ExportId {
    use persistence::entities::export_archive;
    let id = world.backend.ask_archive(Whose::Coach(coach)).await.expect("is asked for");
    world.run_jobs().await;
    let transaction = world.backend.db().begin().await.expect("begins");
    let row = export_archive::Entity::find_by_id(id).one(&transaction).await.expect("reads").expect("is there");
    let asked = row.created_at.plus_days(-2);
    let mut row = sea_orm::IntoActiveModel::into_active_model(row);
    row.created_at = Set(asked);
    row.update(&transaction).await.expect("is older now");
    transaction.commit().await.expect("commits");
    id
}

impl Story {
    /// Tells it.
    pub async fn tell(world: &World) -> Self {
        let maya = world.coach("Maya", "maya@example.com").await;
        let tom = world.coach("Tom", "tom@example.org").await;
        world.published(&tom, "Toms own hour").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        let draft = world.draft(&maya, "Not ready for anybody").await;
        let caption = world.caption(&maya, &webinar).await;
        let video = world.recording(&maya, &webinar).await;
        with_posters(world, video).await;
        let upload = world.begin_upload(&maya, webinar.id, SAMPLE.len()).await;
        let piece = world.piece(upload, 0, &SAMPLE[..100_000]).by(&maya).send().await;
        assert_eq!(piece.status, 204, "{}", piece.text());
        let anna = world.register(&webinar, "anna@example.net").await;
        let props = world.enter(&anna).await;
        let other_browser = world.sign_in(&maya.email).await;
        let form = world.filled_form(&webinar, "nobody@example.net").await;
        let (_, stamp) = form.into_iter().find(|(name, _)| *name == "form_stamp").expect("a stamp");
        let olga = world.register(&webinar, "olga@example.net").await;
        let child = world.register(&webinar, "kid@example.net").await.email;
        let nora = world.coach("Nora", "nora@example.com").await;
        let (nora, _) = world.operator(&nora).await;
        let (maya, factor) = world.operator(&maya).await;
        let waiting = world.waiting(&maya, &webinar, &nora, &olga).await;
        let token = anna.room.trim_start_matches("/r/");
        let other_session = session_of(world, webinar.id, 31).await;
        let hers = Ids {
            webinar: webinar.id,
            slug: webinar.slug.clone(),
            draft: draft.id,
            rule: rule_of(world, webinar.id).await,
            session: session_of(world, webinar.id, 29).await,
            other_session,
            other_start: start_of(world, other_session).await,
            template: world.handle(&maya).await.mail_sequence(webinar.id).await.expect("is there").templates[1].id,
            choice: world.backend.unsubscribe_path(world.backend.room_token_names(token).expect("a token of ours")),
            video,
            caption,
            upload,
            registration: world.backend.room_token_names(token).expect("a token of ours"),
            view: props.view.expect("a view"),
            room: anna.room.clone(),
            login: world.handle(&other_browser).await.login(),
            email: maya.email.clone(),
            stamp,
            coach: world.handle(&maya).await.id(),
            portal: world.portal(&anna.email).await,
            proof: world.proof(&anna.email).await.0,
            waiting,
            codes: factor.codes[1..].to_vec(),
            archive: archive_of(world, world.handle(&maya).await.id()).await,
            day: world.backend.now().plus_days(30).rfc3339()[..10].to_owned(),
            child,
        };
        Self { maya, factor, other_browser: other_browser.session, nora, tom, webinar, draft, anna, hers }
    }
}

/// A rule beside a webinar that is watched on demand: nobody is offered its times.
async fn rule_of(world: &World, webinar: WebinarId) -> ScheduleRuleId {
    let form = domain::schedule::RuleForm { kind: "weekdays".into(), at: "18:00".into(), ..Default::default() };
    let rule = form.parse(|_| true).expect("a rule");
    let transaction = world.backend.db().begin().await.expect("begins");
    let added = persistence::schedules::insert_rule(&transaction, webinar, &rule, world.backend.now()).await;
    transaction.commit().await.expect("commits");
    added.expect("is added")
}

/// A session in so many days beside a webinar that is watched on demand.
async fn session_of(world: &World, webinar: WebinarId, days: i64) -> SessionId {
    let starts_at = world.backend.now().plus_days(days);
    let wanted = persistence::schedules::WantedSession::scheduled(starts_at, "UTC");
    let transaction = world.backend.db().begin().await.expect("begins");
    let made = persistence::schedules::session(&transaction, webinar, &wanted, world.backend.now()).await;
    transaction.commit().await.expect("commits");
    made.expect("is made").expect("takes place")
}

/// When a session starts, as an address names it.
async fn start_of(world: &World, id: SessionId) -> String {
    let found = persistence::schedules::session_by_id(world.backend.db().reader(), id).await.expect("answers");
    found.and_then(|session| session.starts_at).expect("a time").rfc3339()
}

/// As if the worker had taken two pictures from it, on a machine with ffmpeg or without.
async fn with_posters(world: &World, video: VideoId) {
    use persistence::entities::video;
    let row = video::Entity::find_by_id(video).one(world.backend.db().reader()).await.expect("answers").expect("there");
    let mut row: video::ActiveModel = row.into();
    row.poster_count = Set(2);
    let transaction = world.backend.db().begin().await.expect("begins");
    row.update(&transaction).await.expect("is written");
    transaction.commit().await.expect("commits");
}

impl Ids {
    /// Ids of nothing at all.
    pub fn missing(world: &World) -> Self {
        let registration = RegistrationId::new();
        Self {
            webinar: WebinarId::new(),
            slug: "nothing-is-here".to_owned(),
            draft: WebinarId::new(),
            rule: ScheduleRuleId::new(),
            session: SessionId::new(),
            other_session: SessionId::new(),
            other_start: "2031-01-01T18:00:00Z".to_owned(),
            template: MailTemplateId::new(),
            choice: world.backend.unsubscribe_path(registration),
            video: VideoId::new(),
            caption: CaptionId::new(),
            upload: UploadId::new(),
            registration,
            view: ViewId::new(),
            // Well made and signed by us, for somebody who is not there.
            room: world.backend.room_path(registration, 1),
            login: LoginId::new(),
            email: "nell@example.com".to_owned(),
            stamp: String::new(),
            coach: CoachId::new(),
            portal: String::new(),
            proof: String::new(),
            waiting: Waiting {
                objection: ObjectionId::new(),
                hold: LegalHoldId::new(),
                disclosure: DisclosureId::new(),
                incident: IncidentId::new(),
                coach: CoachId::new(),
                viewer: "nemo@example.com".to_owned(),
            },
            codes: vec!["aaaaa-aaaaa".to_owned(); 3],
            archive: ExportId::new(),
            day: "2000-01-01".to_owned(),
            child: "none@example.com".to_owned(),
        }
    }

    /// A path's `{name}` as an id of these.
    ///
    /// # Panics
    /// When a route has a name that is not known here: give it its id, so that the route is tried.
    pub fn in_path(&self, name: &str) -> String {
        match name {
            "webinar" => self.webinar.to_string(),
            "video" => self.video.to_string(),
            "id" => self.upload.to_string(),
            "archive" => self.archive.to_string(),
            "registration" => self.registration.to_string(),
            "slug" => self.slug.clone(),
            "template" => self.template.to_string(),
            "choice" => self.choice.trim_start_matches("/u/").to_owned(),
            "token" => self.room.trim_start_matches("/r/").to_owned(),
            "objection" => self.waiting.objection.to_string(),
            "hold" => self.waiting.hold.to_string(),
            "disclosure" => self.waiting.disclosure.to_string(),
            "incident" => self.waiting.incident.to_string(),
            "coach" => self.waiting.coach.to_string(),
            // An erasure nobody knows of: there is nothing to see, whoever asks.
            "request" => RequestId::new().to_string(),
            "kind" => "video".to_owned(),
            "version" => "2026-11-26".to_owned(),
            "document" => "hosting.md".to_owned(),
            "*file" => "fraunces.woff2".to_owned(),
            "name" => self.video.to_string(),
            other => panic!("no id is known for {{{other}}} in a path"),
        }
    }

    /// A text in which every id is replaced by what it names, so that answers about different ids can be compared.
    pub fn taken_out_of(&self, text: &str) -> String {
        let room = self.room.trim_start_matches("/r/");
        let named = [
            (self.webinar.to_string(), "WEBINAR"),
            (self.slug.clone(), "SLUG"),
            (self.draft.to_string(), "DRAFT"),
            (self.rule.to_string(), "RULE"),
            (self.session.to_string(), "SESSION"),
            (self.other_session.to_string(), "OTHER_SESSION"),
            (self.template.to_string(), "TEMPLATE"),
            (self.choice.trim_start_matches("/u/").to_owned(), "CHOICE"),
            (self.video.to_string(), "VIDEO"),
            (self.caption.to_string(), "CAPTION"),
            (self.upload.to_string(), "UPLOAD"),
            (self.registration.to_string(), "REGISTRATION"),
            (self.view.to_string(), "VIEW"),
            (room.to_owned(), "ROOM"),
            (self.login.to_string(), "LOGIN"),
            (self.email.clone(), "EMAIL"),
            (self.waiting.objection.to_string(), "OBJECTION"),
            (self.waiting.hold.to_string(), "HOLD"),
            (self.waiting.disclosure.to_string(), "DISCLOSURE"),
            (self.waiting.incident.to_string(), "INCIDENT"),
            (self.waiting.coach.to_string(), "COACH"),
            (self.other_start.clone(), "OTHER_START"),
            (self.day.clone(), "DAY"),
        ];
        named.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }
}
