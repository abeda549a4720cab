//! Whoever comes back, and whoever agreed to offers.

use super::*;
use crate::refusal::Refusal;
use crate::rehearsal::form::RehearsalForm;

const OFFER: u32 = 7;

fn with_an_offer() -> Vec<Letter<u32>> {
    let offer = letter(OFFER, Timing::After { minutes: 90 });
    let offer = Letter { template: Template { is_promotional: true, ..offer.template }, ..offer };
    letters().into_iter().chain([offer]).collect()
}

#[test]
fn an_offer_goes_to_whoever_ticked_its_box_and_to_nobody_else() {
    let (tuesdays, letters) = (tuesdays(), with_an_offer());
    let early = start().plus_seconds(-72 * HOUR);
    let end = start().plus_seconds(LONG);
    let journey = |asks_about_offers, wants_offers| {
        let setup = Setup { asks_about_offers, ..setup(&tuesdays, &letters) };
        let ann = Figure { wants_offers, ..figure(early, Conduct::StaysToTheEnd) };
        rehearse(&setup, &ann, Mishaps::default(), &Bundled).expect("is rehearsed")
    };
    let agreed = journey(true, true);
    assert_eq!(mails(&agreed).last(), Some(&(OFFER, end.plus_seconds(90 * MINUTE))));
    let says = |scenes: &[Scene<u32>]| scenes.iter().any(|scene| scene.what.sentence().contains("the box for offers"));
    assert!(says(&agreed));
    // Not ticked, or nothing to tick: nobody can have agreed.
    for scenes in [journey(true, false), journey(false, true)] {
        assert!(!says(&scenes) && mails(&scenes).iter().all(|(id, _)| *id != OFFER));
        let why = "Not sent: this person did not agree to receive offers.";
        assert_eq!(not_mailed(&scenes).last(), Some(&(OFFER, end.plus_seconds(90 * MINUTE), why)));
    }
}

#[test]
fn whoever_comes_back_the_next_day_goes_on_where_they_left() {
    let early = start().plus_seconds(-72 * HOUR);
    let visits = vec![
        Visit { after_minutes: 0, leaves_at_minute: Some(20) },
        Visit { after_minutes: 24 * 60, leaves_at_minute: Some(40) },
        Visit { after_minutes: 60, leaves_at_minute: None },
    ];
    let scenes = rehearsed(&tuesdays(), &figure(early, Conduct::Comes { visits }));
    let next_day = start().plus_seconds(20 * MINUTE).plus_days(1);
    let evening = next_day.plus_seconds((20 + 60) * MINUTE);
    let rooms: Vec<_> = scenes
        .iter()
        .filter_map(|scene| match scene.what {
            What::Joined { at_second, goes_on } => Some((scene.at, at_second, Some(goes_on))),
            What::Left { at_second } => Some((scene.at, at_second, None)),
            _ => None,
        })
        .collect();
    let left = |at: Moment, minute: u32| (at, minute * 60, None);
    assert_eq!(
        rooms,
        [
            (start(), 0, Some(false)),
            left(start().plus_seconds(20 * MINUTE), 20),
            (next_day, 1_200, Some(true)),
            left(next_day.plus_seconds(20 * MINUTE), 40),
            (evening, 2_400, Some(true)),
            left(evening.plus_seconds(20 * MINUTE), 60),
        ]
    );
    let end = start().plus_seconds(LONG);
    assert_eq!(status(&scenes), Some(Attendance::LeftEarly));
    assert_eq!(mails(&scenes).last(), Some(&(LEFT_EARLY, end.plus_seconds(30 * MINUTE))));
    // Forty minutes of sixty are no more than they were; the whole of it is.
    let raised: Vec<_> = scenes
        .iter()
        .filter_map(|scene| match scene.what {
            What::OutcomeRaised { status } => Some((scene.at, status)),
            _ => None,
        })
        .collect();
    assert_eq!(raised, [(evening.plus_seconds(20 * MINUTE), Attendance::AttendedToEnd)]);
}

#[test]
fn watching_when_one_likes_is_final_a_day_after_the_last_visit() {
    let open = Schedule { on_demand: true, ..tuesdays() };
    let signs_up_at = at("2026-12-01T09:00:00Z");
    let visits = vec![
        Visit { after_minutes: 60, leaves_at_minute: Some(20) },
        Visit { after_minutes: 20 * 60, leaves_at_minute: None },
        Visit { after_minutes: 8 * 24 * 60, leaves_at_minute: None },
    ];
    let dev = Figure { choice: Choice::AtOnce, ..figure(signs_up_at, Conduct::Comes { visits }) };
    let scenes = rehearsed(&open, &dev);
    let second = signs_up_at.plus_seconds((60 + 20 + 20 * 60) * MINUTE);
    let left_at = second.plus_seconds(40 * MINUTE);
    assert_eq!(when(&scenes, |what| matches!(what, What::OutcomeFinal { .. })), Some(left_at.plus_days(1)));
    assert_eq!(status(&scenes), Some(Attendance::AttendedToEnd));
    // The link runs from the first play, and the third visit comes too late for it.
    assert_eq!(when(&scenes, |what| *what == What::LinkEnds), Some(signs_up_at.plus_seconds(HOUR).plus_days(7)));
    assert_eq!(when(&scenes, |what| *what == What::FoundOver), Some(left_at.plus_days(8)));
}

#[test]
fn the_form_says_who_comes_back_when_and_who_is_mistaken() {
    let form = |manner: &str| RehearsalForm { manner: manner.to_owned(), ..RehearsalForm::default() };
    let read = |form: RehearsalForm| form.parse("Europe/London", &Bundled, start());
    let whole = RehearsalForm {
        offers: "yes".to_owned(),
        late: "5".to_owned(),
        leaves: "20".to_owned(),
        back: "24".to_owned(),
        again_leaves: "50".to_owned(),
        ..form("comes")
    };
    let ann = read(whole.clone()).expect("is read");
    let visits = vec![
        Visit { after_minutes: 5, leaves_at_minute: Some(20) },
        Visit { after_minutes: 24 * 60, leaves_at_minute: None },
    ];
    assert_eq!((ann.wants_offers, ann.conduct), (true, Conduct::Comes { visits }));
    let missed = read(form("next_day")).expect("is read");
    assert_eq!((missed.wants_offers, missed.conduct), (false, comes(24 * 60, None)));
    for (hours, field) in [("soon", "back"), ("241", "back"), ("-1", "back")] {
        let refused: Refusal = read(RehearsalForm { back: hours.to_owned(), ..whole.clone() }).expect_err("is refused");
        assert_eq!(refused.field.as_deref(), Some(field), "{hours}");
    }
}
