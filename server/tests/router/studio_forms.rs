//! Forms of the studio as a browser without script sends them: what is refused comes back on its page, with what was
//! typed and why.

use axum::http::StatusCode;
use testkit::each_database;

use crate::world::{Story, World, between};

#[tokio::test]
async fn captions_that_are_refused_come_back_on_their_page_with_what_was_typed() {
    each_database("caption form", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let path = format!("/dashboard/videos/{}/captions", story.hers.video);
        let parts = [
            ("file", Some("a.vtt"), b"no captions at all".as_slice()),
            ("language", None, b"pt-BR".as_slice()),
            ("label", None, "Português".as_bytes()),
        ];
        let page = world.post(&path).by(&story.maya).in_browser().multipart(&parts).send().await;
        assert!(page.status.is_client_error(), "{}", page.status);
        let html = page.text();
        let form = between(&html, "captions-form", "</form>").expect("the form is on the page");
        assert!(form.contains("role=\"alert\""), "{form}");
        assert!(form.contains("value=\"pt-BR\"") && form.contains("value=\"Português\""), "{form}");

        // The page's own script gets the refusal itself.
        let asked =
            world.post(&path).by(&story.maya).header("accept", "application/json").multipart(&parts).send().await;
        assert_eq!(asked.status, page.status);
        assert_eq!(asked.json()["field"], "file", "{}", asked.text());
        assert!(asked.text().contains("Line 2: a time such as") && form.contains("Line 2: a time such as"), "{form}");

        let empty = [("language", None, b"fr".as_slice())];
        let page = world.post(&path).by(&story.maya).in_browser().multipart(&empty).send().await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text().contains("Please choose a file first."), "{}", page.text());
    })
    .await;
}

#[tokio::test]
async fn nobody_puts_words_into_our_mouth_by_an_address() {
    each_database("problem in address", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let path = format!("/dashboard/webinars/{}?problem=Call+this+number", story.webinar.id);
        assert!(!world.get(&path).by(&story.maya).send().await.text().contains("role=\"alert\""));
    })
    .await;
}

#[tokio::test]
async fn what_keeps_a_draft_from_being_published_is_said_on_its_form() {
    each_database("publish form", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let id = story.draft.id.to_string();
        let fields = [("_form", "publish"), ("webinar", id.as_str())];
        let page = world.post(&format!("/dashboard/webinars/{id}")).by(&story.maya).form(&fields).send().await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let html = page.text();
        let panel = between(&html, "class=\"publish\"", "</form>").expect("the form is on the page");
        assert!(panel.contains("role=\"alert\""), "{panel}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_password_keeps_the_token_of_the_mailed_link() {
    each_database("reset form", |test| async move {
        let world = World::new(test);
        let path = "/reset/new?t=the-token";
        let page = world.get(path).send().await.text();
        assert!(page.contains("action=\"/reset/new?t=the-token\""), "the form keeps what its page was asked by");
        let fields = [("_form", "reset_password"), ("token", "the-token"), ("password", "short")];
        let refused = world.post(path).form(&fields).send().await;
        let html = refused.text();
        assert!(refused.status.is_client_error(), "{}", refused.status);
        assert!(html.contains("role=\"alert\"") && html.contains("value=\"the-token\""), "{html}");
    })
    .await;
}

#[tokio::test]
async fn settings_that_are_refused_come_back_as_they_were_chosen_with_the_fold_open() {
    each_database("settings form", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let id = story.draft.id.to_string();
        let view = world.handle(&story.maya).await.webinar(story.draft.id).await.expect("hers");
        let revision = view.revision.to_string();
        let fields = [
            ("_form", "save_webinar"),
            ("webinar", id.as_str()),
            ("revision", revision.as_str()),
            ("title", view.form.title.as_str()),
            ("slug", view.form.slug.as_str()),
            ("first_name", "required"),
            ("own_accent", "on"),
            ("accent", "#336699"),
            ("session_kind", view.form.session_kind.as_str()),
            ("consent_text", view.form.consent_text.as_str()),
            ("link_days", "many"),
            ("end_percent", view.form.end_percent.as_str()),
            ("floor_seconds", view.form.floor_seconds.as_str()),
        ];
        let page = world.post(&format!("/dashboard/webinars/{id}")).by(&story.maya).form(&fields).send().await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let html = page.text();
        let settings = between(&html, "class=\"settings\"", "</form>").expect("the form is on the page");
        let asked = between(settings, "name=\"first_name\"", "</select>").expect("it asks for the first name");
        assert!(asked.contains("<option value=\"required\" selected"), "{asked}");
        assert!(settings.contains("value=\"#336699\""), "{settings}");
        assert!(settings.contains("<details open"), "what is wrong lies inside: {settings}");
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_nobody_could_read_is_refused_and_the_one_there_is_stays() {
    each_database("huge template", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let (id, template) = (story.webinar.id.to_string(), story.hers.template.to_string());
        let path = format!("/dashboard/webinars/{id}/mails?mail={template}");
        let stored = || persistence::sequences::templates(world.backend.db().reader(), story.webinar.id);
        let before = stored().await.expect("reads");
        // Past what a form may weigh, past what a mail may say, and a line that would become a header of its own.
        let megabytes = "a".repeat(5_000_000);
        let pages = "word ".repeat(20_000);
        for (subject, body, status, field) in [
            ("Soon", megabytes.as_str(), StatusCode::PAYLOAD_TOO_LARGE, None),
            ("Soon", pages.as_str(), StatusCode::PAYLOAD_TOO_LARGE, Some("body")),
            ("Soon\r\nBcc: all@example.net", "Hello", StatusCode::UNPROCESSABLE_ENTITY, Some("subject")),
        ] {
            let fields = [
                ("_form", "save_template"),
                ("webinar", id.as_str()),
                ("template", template.as_str()),
                ("timing", "before"),
                ("amount", "2"),
                ("unit", "hours"),
                ("subject", subject),
                ("body", body),
                ("is_on", "on"),
            ];
            let answer = world.post(&path).by(&story.maya).form(&fields).send().await;
            assert_eq!(answer.status, status, "{subject}");
            let problem = field.map(|field| format!("save_template-{field}-problem"));
            assert!(problem.is_none_or(|problem| answer.text().contains(&problem)), "{}", answer.text());
            assert_eq!(stored().await.expect("reads"), before);
        }
    })
    .await;
}
