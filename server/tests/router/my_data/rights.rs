//! What can be asked for: corrections, restrictions, objections, agreements, erasure with its receipt, and everything
//! everywhere.

use axum::http::StatusCode;
use domain::webinar::{Asked, FieldChoice, WebinarForm};
use testkit::each_database;

use super::{ANNA, BEN, Two, done, shown, wish};
use crate::world::{Coach, Webinar, World, between};

/// Lets the webinar ask for a company.
async fn asks_for_company(world: &World, coach: &Coach, webinar: &Webinar) {
    let handle = world.handle(coach).await;
    let view = handle.webinar(webinar.id).await.expect("hers");
    let fields = FieldChoice { first_name: Asked::Optional, company: Asked::Required, ..FieldChoice::default() };
    handle.save_webinar(webinar.id, view.revision, WebinarForm { fields, ..view.form }).await.expect("saved");
}

/// The name of the field of an answer on the page for corrections.
async fn answer_field(world: &World, portal: &str, coach: &str) -> String {
    let page = world.get(&format!("/my-data/correct?coach={coach}")).by_person(portal).send().await.text();
    let names = page.split("name=\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.into_iter().find(|name| name.ends_with(".company")).expect("the answer's field").to_owned()
}

async fn correct(world: &World, portal: &str, fields: &[(&str, &str)]) -> crate::world::Answer {
    world.post("/my-data/correct").by_person(portal).form(fields).in_browser().send().await
}

#[tokio::test]
async fn name_and_answers_are_corrected_and_the_coach_is_told() {
    each_database("portal correct", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        asks_for_company(&world, &two.maya, &two.her_webinar).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        let company = answer_field(&world, &portal, &coach).await;
        // A required answer cannot be emptied, a long one is named, and what was typed stays.
        let long = "x".repeat(201);
        for text in [" ", long.as_str()] {
            let refused = correct(&world, &portal, &[("coach", &coach), ("name", "Anna B."), (&company, text)]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
            assert!(refused.text().contains("value=\"Anna B.\""), "{}", refused.text());
        }
        let fields = [
            ("coach", coach.as_str()),
            ("name", "Anna B."),
            (company.as_str(), "Łódź & Co"),
            ("phone", "123"),
            ("x.y", "z"),
        ];
        let answer = correct(&world, &portal, &fields).await;
        assert_eq!(answer.header("location"), "/my-data?done=correct", "{}", answer.text());
        let page = shown(&world, &portal).await;
        assert!(page.contains("Anna B.") && page.contains("Łódź &amp; Co"), "{page}");
        let query = domain::results::RegistrantQuery {
            search: String::new(),
            status: String::new(),
            sort: String::new(),
            page: 0,
        };
        let people = world.handle(&two.maya).await.registrants(two.her_webinar.id, &query).await.expect("hers");
        assert_eq!(people.rows[0].name, "Anna B.");
        let again = correct(&world, &portal, &fields).await;
        assert_eq!(again.header("location"), "/my-data?done=correct-same");
        world.run_jobs().await;
        let told = world.mails_to(&two.maya.email);
        assert_eq!(told.iter().filter(|mail| mail.text.contains("corrected their name")).count(), 1);
        // The record of it holds no value and names nobody.
        let rows = format!("{:?}", world.snapshot().await);
        assert!(!rows.contains("Anna B."));
    })
    .await;
}

#[tokio::test]
async fn a_correction_waits_while_the_data_rests() {
    each_database("portal pending", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        done(&world, &portal, &coach, "restrict", &[("ground", "accuracy")]).await;
        let answer = correct(&world, &portal, &[("coach", &coach), ("name", "Anna Right")]).await;
        assert_eq!(answer.header("location"), "/my-data?done=correct-waits", "{}", answer.text());
        world.run_jobs().await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("waits until your data is used again") && !page.contains("Anna Right"), "{page}");
        assert!(page.contains("Kept and not used"), "{page}");
        // What stands for an objection is not ended as another ground, and nothing is ended twice.
        assert_eq!(wish(&world, &portal, &coach, "lift", &[("ground", "claim")]).await.status, StatusCode::CONFLICT);
        done(&world, &portal, &coach, "lift", &[("ground", "accuracy")]).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("Anna Right") && !page.contains("waits until your data"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_new_address_is_proven_before_it_counts() {
    each_database("portal address", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let (coach, new) = (two.maya_id.to_string(), "anna.new@example.org");
        done(&world, &portal, &coach, "unsubscribe", &[]).await;
        let step = |step: &'static str, email: &'static str, code: String| {
            let fields =
                vec![("coach", coach.clone()), ("step", step.to_owned()), ("email", email.to_owned()), ("code", code)];
            let ask = world.post("/my-data/correct").by_person(&portal).form(&fields).in_browser();
            async move { ask.send().await }
        };
        let asked = step("address", new, String::new()).await;
        assert!(asked.text().contains("A code is on its way to"), "{}", asked.text());
        world.run_jobs().await;
        let mail = world.mails_to(new).into_iter().next().expect("the code");
        assert!(mail.text.contains("/privacy/complain") && !mail.text.contains(ANNA), "{}", mail.text);
        let (_, code) = world.newest_proof().await;
        let wrong = if code == "11111111" { "22222222" } else { "11111111" };
        let refused = step("code", new, wrong.to_owned()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(step("code", "else@example.org", code.clone()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Not for another coach, and not in another person's browser.
        let elsewhere = [
            ("coach", two.tom_id.to_string()),
            ("step", "code".to_owned()),
            ("email", new.to_owned()),
            ("code", code.clone()),
        ];
        let answer = world.post("/my-data/correct").by_person(&portal).form(&elsewhere).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);

        let answer = step("code", new, code).await;
        assert_eq!(answer.header("location"), "/my-data?done=address", "{}", answer.text());
        assert!(!shown(&world, &portal).await.contains("Breathing before talking"), "it is under the new one now");
        let page = shown(&world, &world.portal(new).await).await;
        assert!(
            page.contains("Breathing before talking") && page.contains("You get no mail from this coach"),
            "{page}"
        );

        // Where the new address is somebody already, two people do not become one.
        world.wait(3700);
        let portal = world.portal(ANNA).await;
        let tom = two.tom_id.to_string();
        let ask = |step: &str, code: &str| {
            let fields = [("coach", tom.as_str()), ("step", step), ("email", BEN), ("code", code)];
            world.post("/my-data/correct").by_person(&portal).form(&fields).in_browser().send()
        };
        assert_eq!(ask("address", "").await.status, StatusCode::OK);
        let (_, code) = world.newest_proof().await;
        assert_eq!(ask("code", &code).await.status, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test]
async fn objections_and_agreements_follow_one_press() {
    each_database("portal objects", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        done(&world, &portal, &coach, "object", &[("scope", "marketing"), ("words", "")]).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("You get no mail from this coach") && page.contains("upheld"), "{page}");
        let long = "x".repeat(1_001);
        let refused = wish(&world, &portal, &coach, "object", &[("scope", "all"), ("words", &long)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        done(&world, &portal, &coach, "object", &[("scope", "analytics"), ("words", "I would rather not.")]).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("Kept and not used") && page.contains("I would rather not."), "{page}");
        assert!(page.contains("waits for the coach") && page.contains("answer until"), "{page}");
        assert_eq!(
            wish(&world, &portal, &coach, "restrict", &[("ground", "objection")]).await.status,
            StatusCode::NOT_FOUND,
            "it stands for an objection that was made"
        );
        done(&world, &portal, &coach, "withdraw", &[("purpose", "run_webinar")]).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("Taken back on"), "{page}");
        assert_eq!(
            wish(&world, &portal, &coach, "withdraw", &[("purpose", "run_webinar")]).await.status,
            StatusCode::CONFLICT
        );
        for (name, more) in [("sell", ("x", "y")), ("restrict", ("ground", "because")), ("object", ("scope", "some"))] {
            assert_eq!(wish(&world, &portal, &coach, name, &[more]).await.status, StatusCode::NOT_FOUND, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_erasure_is_previewed_done_receipted_and_forgotten() {
    each_database("portal erase", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        done(&world, &portal, &coach, "unsubscribe", &[]).await;
        let preview = world.get(&format!("/my-data/erase?coach={coach}")).by_person(&portal).send().await.text();
        for text in
            ["1 registration, with", "1 agreement<", "What stays", "forget_mark", "Backups cannot be read", "130 days"]
        {
            assert!(preview.contains(text), "{text}: {preview}");
        }
        done(&world, &portal, &coach, "erase", &[("forget_mark", "yes")]).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("Being erased") && page.contains("due by"), "{page}");
        let twice = wish(&world, &portal, &coach, "erase", &[]).await;
        assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());
        world.run_jobs().await;
        let page = shown(&world, &portal).await;
        assert!(!page.contains("Breathing before talking"), "{page}");
        let rows = world.snapshot().await;
        assert_eq!(rows.rows("suppression"), 0, "even the mark is forgotten");
        let receipt = between(&page, "href=\"/my-data/receipt?request=", "\"").expect("a receipt").to_owned();
        let mail = world.mails_to(ANNA).into_iter().find(|mail| mail.subject.contains("receipt")).expect("mailed");
        assert!(mail.text.contains("/privacy/complain") && mail.text.contains(&receipt), "{}", mail.text);

        let fetch = |portal: String| {
            let ask = world.get(&format!("/my-data/receipt?request={receipt}")).by_person(&portal).in_browser();
            async move { ask.send().await }
        };
        let fetched = fetch(portal.clone()).await;
        assert_eq!(fetched.status, StatusCode::OK, "{}", fetched.text());
        assert!(fetched.header("content-disposition").starts_with("attachment"));
        let checked = world.post("/privacy/receipt").form(&[("receipt", fetched.text())]).send().await;
        assert!(checked.text().contains("is ours, and it is unchanged"), "{}", checked.text());
        let other = world.portal(BEN).await;
        let refused = fetch(other.clone()).await;
        let missing = world
            .get(&format!("/my-data/receipt?request={}", domain::ids::RequestId::new()))
            .by_person(&other)
            .in_browser()
            .send()
            .await;
        assert_eq!((refused.status, refused.whole()), (StatusCode::NOT_FOUND, missing.whole()));

        world.wait(89 * 86_400);
        assert_eq!(fetch(world.portal(ANNA).await).await.status, StatusCode::OK);
        world.wait(2 * 86_400);
        assert_eq!(fetch(world.portal(ANNA).await).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn somebody_who_comes_back_is_somebody_new() {
    each_database("portal again", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        done(&world, &portal, &two.maya_id.to_string(), "erase", &[]).await;
        // While it is being erased nobody is added to; afterwards the person is welcome.
        let form = world.filled_form(&two.her_webinar, ANNA).await;
        let during = world.post(&format!("/w/{}", two.her_webinar.slug)).form(&form).send().await;
        assert_eq!(during.status, StatusCode::CONFLICT, "{}", during.text());
        world.run_jobs().await;
        world.register(&two.her_webinar, ANNA).await;
        let page = shown(&world, &portal).await;
        assert!(page.contains("Breathing before talking") && page.contains("You have not opened the room."), "{page}");
        assert!(page.contains("Receipt"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn an_erasure_and_registrations_at_once_leave_nothing_half() {
    each_database("portal race", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        let form = world.filled_form(&two.her_webinar, ANNA).await;
        let page = format!("/w/{}", two.her_webinar.slug);
        let registering = futures::future::join_all((0..6).map(|_| world.post(&page).form(&form).send()));
        let erasing = futures::future::join_all((0..3).map(|_| wish(&world, &portal, &coach, "erase", &[])));
        let (registered, erased) = tokio::join!(registering, erasing);
        for answer in &registered {
            assert!(
                [StatusCode::OK, StatusCode::CONFLICT].contains(&answer.status),
                "{}: {}",
                answer.status,
                answer.text()
            );
        }
        let begun = erased.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        assert_eq!(begun, 1, "one erasure: {:?}", erased.iter().map(|answer| answer.status).collect::<Vec<_>>());
        world.run_jobs().await;
        let page = shown(&world, &portal).await;
        assert!(!page.contains("Breathing before talking") && page.contains("Receipt"), "{page}");
        // Ben, Anna at Tom's, and keys for them and nobody else.
        let rows = world.snapshot().await;
        assert_eq!((rows.rows("subject"), rows.rows("registration"), rows.rows("keyring.dek")), (2, 2, 2));
    })
    .await;
}

#[tokio::test]
async fn everything_everywhere_is_one_press() {
    each_database("portal all", |test| async move {
        let world = World::new(test);
        Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        done(&world, &portal, "all", "unsubscribe", &[]).await;
        done(&world, &portal, "all", "restrict", &[("ground", "unlawful")]).await;
        assert_eq!(shown(&world, &portal).await.matches("class=\"badge\"").count(), 2);
        done(&world, &portal, "all", "lift", &[("ground", "unlawful")]).await;
        let nothing = wish(&world, &portal, "all", "lift", &[("ground", "unlawful")]).await;
        assert_eq!(nothing.header("location"), "/my-data?done=nothing");
        done(&world, &portal, "all", "erase", &[]).await;
        world.run_jobs().await;
        let page = shown(&world, &portal).await;
        assert!(
            page.contains("No coach holds anything") && page.matches("/my-data/receipt?request=").count() == 2,
            "{page}"
        );
        let rows = world.snapshot().await;
        assert_eq!(rows.rows("subject"), 1, "Ben is still there");
    })
    .await;
}

#[tokio::test]
async fn an_archive_is_asked_for_fetched_by_this_browser_and_ended() {
    each_database("portal archive", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        let step = |portal: &str, step: &str, archive: &str| {
            let fields = [("coach", coach.as_str()), ("step", step), ("archive", archive)];
            world.post("/my-data/archive").by_person(portal).form(&fields).in_browser().send()
        };
        let asked = step(&portal, "ask", "").await;
        assert_eq!(asked.header("location"), "/my-data?done=archive", "{}", asked.text());
        assert_eq!(step(&portal, "ask", "").await.status, StatusCode::TOO_MANY_REQUESTS);
        world.run_jobs().await;
        let page = shown(&world, &portal).await;
        let id = between(&page, "name=\"archive\" value=\"", "\"").expect("an archive").to_owned();
        let link = step(&portal, "fetch", &id).await.header("location");
        assert!(link.starts_with("/privacy/archives/"), "{link}");
        let file = world.get(&link).by_person(&portal).send().await;
        assert!(file.status == StatusCode::OK && file.body.starts_with(b"PK"), "{}", file.status);
        // Another browser of the same person, and somebody else, with the very address.
        for other in [world.portal(ANNA).await, world.portal(BEN).await] {
            assert_eq!(world.get(&link).by_person(&other).send().await.status, StatusCode::NOT_FOUND);
        }
        let ben = world.portal(BEN).await;
        for what in ["ask", "fetch", "end"] {
            assert_eq!(step(&ben, what, &id).await.status, StatusCode::NOT_FOUND, "{what}");
        }
        assert_eq!(step(&portal, "end", &id).await.header("location"), "/my-data?done=archive-ended");
        assert_ne!(step(&portal, "fetch", &id).await.status, StatusCode::SEE_OTHER);
    })
    .await;
}
