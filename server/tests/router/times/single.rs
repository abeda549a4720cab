//! One coming session by itself: off, moved and brought back, booked by somebody or by nobody yet.

use domain::schedule::PreviewLine;

use super::*;

/// What the page of a webinar offers somebody in this zone: the starts, in order.
async fn offered(world: &World, webinar: &Webinar, zone: &str) -> Vec<String> {
    let page = world.get(&format!("/w/{}?zone={zone}", webinar.slug)).send().await.text();
    let radios = page.split("type=\"radio\" name=\"slot\"").skip(1);
    radios.map(|radio| between(radio, "datetime=\"", "\"").expect("a time").to_owned()).collect()
}

async fn coming(world: &World, coach: &Coach, webinar: &Webinar, zone: &str) -> Vec<PreviewLine> {
    world.handle(coach).await.schedule(webinar.id, Some(zone)).await.expect("reads").next
}

/// What the coach's list of changed dates says.
async fn changed(world: &World, coach: &Coach, webinar: &Webinar) -> Vec<(String, String, bool)> {
    let view = world.handle(coach).await.schedule(webinar.id, Some("UTC")).await.expect("reads");
    view.changed.into_iter().map(|date| (date.name, date.text, date.is_off)).collect()
}

#[tokio::test]
async fn what_nobody_has_booked_is_called_off_listed_and_brought_back() {
    each_database("off unbooked", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")]).await;
        let first = coming(&world, &maya, &webinar, "UTC").await.remove(1);
        let start = first.starts_at.rfc3339();
        assert!(offered(&world, &webinar, "UTC").await.contains(&start));
        let page = world.get(&format!("/w/{}?zone=UTC", webinar.slug)).send().await.text();
        let stale = slots(&page)[1].clone();
        // Its forms stand on the page of times, opened by an address alone.
        let at = format!("/dashboard/webinars/{}/times?zone=UTC&session={}", webinar.id, first.name);
        let open = world.get(&at).by(&maya).send().await.text();
        let preview = between(&open, "id=\"preview\"", "</section>").expect("a preview");
        assert!(preview.contains("Call it off") && !preview.contains("A word to them"), "{preview}");

        let off = [("_form", "call_off_session"), ("session", first.name.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::SEE_OTHER);
        assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::CONFLICT, "once");
        assert_eq!(session::Entity::find().count(world.database.database.reader()).await.expect("answers"), 0);
        assert!(!offered(&world, &webinar, "UTC").await.contains(&start));
        assert!(coming(&world, &maya, &webinar, "UTC").await.iter().all(|line| line.starts_at != first.starts_at));
        // A page that was open before does not book it either.
        let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("a stamp").to_owned();
        world.wait(2);
        let fields = [
            ("email", "anna@example.net".to_owned()),
            ("consent", "yes".to_owned()),
            ("form_stamp", stamp),
            ("slot", stale),
            ("zone", "UTC".to_owned()),
        ];
        let refused = world.post(&format!("/w/{}", webinar.slug)).form(&fields).send().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        assert!(bookings(&world).await.is_empty());

        let listed = changed(&world, &maya, &webinar).await;
        assert_eq!((listed.len(), listed[0].2), (1, true), "{listed:?}");
        let back = [("_form", "bring_back"), ("date", listed[0].0.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &back).await.0, StatusCode::SEE_OTHER);
        assert_eq!(change(&world, &maya, &webinar, &back).await.0, StatusCode::CONFLICT, "once");
        assert!(changed(&world, &maya, &webinar).await.is_empty());
        assert!(offered(&world, &webinar, "UTC").await.contains(&start));
        // What no rule yields is nobody's to call off, and what has begun neither.
        for name in ["2031-01-01T03:33:00Z", "2020-01-01T17:00:00Z", "2031-01-01T18:00:00Z@Europe/Paris"] {
            let off = [("_form", "call_off_session"), ("session", name)];
            assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::CONFLICT, "{name}");
        }
        let off = [("_form", "call_off_session"), ("session", "tomorrow")];
        assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_moved_date_is_offered_on_a_day_off_and_beside_twenty_rules() {
    each_database("moved unbooked", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        for hour in 0..domain::schedule::MAX_RULES - 1 {
            // Far away: none of them is offered.
            let date = format!("2031-01-{:02}", hour + 1);
            add_rule(&world, &maya, &webinar, &[("kind", "dates"), ("dates", &date), ("at", "18:00"), ("zone", "UTC")])
                .await;
        }
        let next = coming(&world, &maya, &webinar, "UTC").await;
        let day_off = next[1].starts_at.rfc3339()[..10].to_owned();
        let form = domain::schedule::ScheduleForm {
            blackouts: day_off.clone(),
            ..domain::schedule::ScheduleForm::from(&domain::schedule::Schedule::default())
        };
        let handle = world.handle(&maya).await;
        handle.save_schedule(webinar.id, &form).await.expect("is saved");
        assert!(!offered(&world, &webinar, "UTC").await.contains(&next[1].starts_at.rfc3339()));

        let to = [
            ("_form", "move_session"),
            ("session", next[2].name.as_str()),
            ("date", day_off.as_str()),
            ("at", "09:30"),
            ("zone", "Europe/Paris"),
        ];
        let (status, page) = change(&world, &maya, &webinar, &to).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let times = offered(&world, &webinar, "UTC").await;
        let moved = times.iter().find(|start| start.starts_with(&day_off)).expect("is offered").clone();
        assert!(!times.contains(&next[2].starts_at.rfc3339()), "{times:?}");
        // It is booked like any other, and settings that are saved again leave it alone.
        handle.save_schedule(webinar.id, &form).await.expect("is saved");
        let place = times.iter().position(|start| *start == moved).expect("its place");
        register(&world, &webinar, "anna@example.net", "UTC", place).await;
        let (_, session) = bookings(&world).await.remove(0);
        assert_eq!(session.starts_at.map(Moment::rfc3339), Some(moved.clone()));
        assert_eq!((session.zone.as_deref(), session.schedule_rule_id), (Some("Europe/Paris"), None));

        let listed = changed(&world, &maya, &webinar).await;
        assert_eq!(listed.iter().map(|date| date.2).collect::<Vec<_>>(), [false, true], "{listed:?}");
        let away = [("_form", "remove_date"), ("date", listed[0].0.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &away).await.0, StatusCode::SEE_OTHER);
        assert!(!offered(&world, &webinar, "UTC").await.contains(&moved));
        assert_eq!(bookings(&world).await.len(), 1, "who is booked stays booked");
    })
    .await;
}

#[tokio::test]
async fn everybodys_own_evening_is_moved_for_everybody() {
    each_database("floating moved", |test| async move {
        let world = World::new(test);
        let rule = [("kind", "daily"), ("at", "19:00"), ("zone", "UTC"), ("floats", "on")];
        let (maya, webinar) = webinar_at(&world, &rule).await;
        // Somebody who is booked already stays booked.
        register(&world, &webinar, "kiran@example.net", "Asia/Kolkata", 2).await;
        let line = coming(&world, &maya, &webinar, "Europe/Paris").await.remove(2);
        assert!(line.name.ends_with("@Europe/Paris") && line.form.zone.is_empty(), "{line:?}");
        let day = line.form.date.clone();
        let to = [
            ("_form", "move_session"),
            ("session", line.name.as_str()),
            ("date", day.as_str()),
            ("at", "21:00"),
            ("zone", ""),
        ];
        let (status, page) = change(&world, &maya, &webinar, &to).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        for zone in ["Europe/Paris", "America/New_York", "Australia/Sydney"] {
            let page = world.get(&format!("/w/{}?zone={zone}", webinar.slug)).send().await.text();
            let hours = page.matches(", 21:00<").count();
            assert_eq!((slots(&page).len(), hours), (3, 1), "{zone}: {page}");
        }
        let (row, session) = bookings(&world).await.remove(0);
        assert!(session.cancelled_at.is_none() && row.calendar_sequence == 0);
        let listed = changed(&world, &maya, &webinar).await;
        assert!(listed.iter().all(|(_, text, _)| text.ends_with("in each visitor’s own zone")), "{listed:?}");
        let off = listed.iter().find(|date| date.2).expect("one is off").0.clone();
        let back = [("_form", "bring_back"), ("date", off.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &back).await.0, StatusCode::SEE_OTHER);
        let lines = coming(&world, &maya, &webinar, "America/New_York").await;
        let hours: Vec<_> =
            lines.iter().filter(|line| line.form.date == day).map(|line| line.form.at.clone()).collect();
        assert_eq!(hours, ["19:00", "21:00"]);
    })
    .await;
}

#[tokio::test]
async fn a_second_move_without_words_repeats_none() {
    each_database("words", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        register(&world, &webinar, "anna@example.net", "UTC", 1).await;
        register(&world, &webinar, "ben@example.net", "UTC", 2).await;
        world.run_jobs().await;
        let rows = bookings(&world).await;
        let day = rows[1].1.starts_at.expect("a time").plus_days(2).rfc3339()[..10].to_owned();
        for (place, note) in [(0, "I am at a fair on that evening."), (1, "")] {
            let session = rows[place].1.id.to_string();
            let to = [
                ("_form", "move_session"),
                ("session", session.as_str()),
                ("date", day.as_str()),
                ("at", "19:30"),
                ("zone", "UTC"),
                ("note", note),
            ];
            assert_eq!(change(&world, &maya, &webinar, &to).await.0, StatusCode::SEE_OTHER);
            world.run_jobs().await;
        }
        let rows = bookings(&world).await;
        assert_eq!(rows[0].1.id, rows[1].1.id, "they come together");
        for (email, words) in [("anna@example.net", true), ("ben@example.net", false)] {
            let mails = world.mails_to(email);
            assert_eq!(mails.len(), 2, "{mails:?}");
            assert!(mails[0].subject.starts_with("New time: "), "{mails:?}");
            assert_eq!(mails[0].text.contains("I am at a fair"), words, "{}", mails[0].text);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_books_in_the_same_moment_is_told_as_well() {
    each_database("booked meanwhile", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        let line = coming(&world, &maya, &webinar, "UTC").await.remove(1);
        // The coach's page still says that nobody is on it.
        register(&world, &webinar, "anna@example.net", "UTC", 1).await;
        world.run_jobs().await;
        let off = [("_form", "call_off_session"), ("session", line.name.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::SEE_OTHER);
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert!(mails[0].subject.starts_with("Called off: "), "{mails:?}");
        assert!(bookings(&world).await[0].1.cancelled_at.is_some());
    })
    .await;
}

#[tokio::test]
async fn when_a_zone_changes_its_clocks_who_booked_keeps_the_moment_and_the_coach_is_told() {
    each_database("new clocks", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")]).await;
        register(&world, &webinar, "anna@example.net", "Europe/Paris", 1).await;
        let (_, session) = bookings(&world).await.remove(0);
        let handle = world.handle(&maya).await;
        let view = handle.schedule(webinar.id, None).await.expect("reads");
        assert_eq!(view.booked[0].note, None);
        // As if the clocks of Paris had been an hour behind when this was booked: what was 19:00 then is 18:00 now.
        let promised = session.wall_time.clone().expect("a wall time").replace("T18:00", "T19:00");
        let row = session::ActiveModel {
            id: sea_orm::Unchanged(session.id),
            wall_time: sea_orm::Set(Some(promised)),
            ..Default::default()
        };
        let transaction = world.backend.db().begin().await.expect("begins");
        session::Entity::update(row).exec(&transaction).await.expect("is written");
        transaction.commit().await.expect("commits");
        let view = handle.schedule(webinar.id, None).await.expect("reads");
        let note = view.booked[0].note.clone().expect("is told");
        assert!(note.contains("Europe/Paris") && note.contains("19:00") && note.contains("18:00"), "{note}");
        let page = world.get(&format!("/dashboard/webinars/{}/times", webinar.id)).by(&maya).send().await.text();
        assert!(page.contains("rules for clocks in Europe/Paris have changed"), "{page}");
        // Nothing moved by itself, and what nobody has booked is counted by the clocks of today.
        assert_eq!(bookings(&world).await[0].1.starts_at, session.starts_at);
        assert!(offered(&world, &webinar, "UTC").await.contains(&session.starts_at.expect("a time").rfc3339()));
    })
    .await;
}
