//! Two coaches who know nothing of each other, and everything one of them owns, by its id.

use domain::ids::{CaptionId, LoginId, RegistrationId, UploadId, VideoId, ViewId, WebinarId};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};

use super::{Coach, Registrant, SAMPLE, Webinar, World};

/// The two of them.
pub struct Story {
    /// She owns what [`Self::hers`] names.
    pub maya: Coach,
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
        let token = anna.room.trim_start_matches("/r/");
        let hers = Ids {
            webinar: webinar.id,
            slug: webinar.slug.clone(),
            draft: draft.id,
            video,
            caption,
            upload,
            registration: world.backend.room_token_names(token).expect("a token of ours"),
            view: props.view.expect("a view"),
            room: anna.room.clone(),
            login: world.handle(&other_browser).await.login(),
            email: maya.email.clone(),
            stamp,
        };
        Self { maya, tom, webinar, draft, anna, hers }
    }
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
            // None of hers is named by it: an archive's address is its session's alone.
            "archive" => self.upload.to_string(),
            "registration" => self.registration.to_string(),
            "slug" => self.slug.clone(),
            "token" => self.room.trim_start_matches("/r/").to_owned(),
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
            (self.video.to_string(), "VIDEO"),
            (self.caption.to_string(), "CAPTION"),
            (self.upload.to_string(), "UPLOAD"),
            (self.registration.to_string(), "REGISTRATION"),
            (self.view.to_string(), "VIEW"),
            (room.to_owned(), "ROOM"),
            (self.login.to_string(), "LOGIN"),
            (self.email.clone(), "EMAIL"),
        ];
        named.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }
}
