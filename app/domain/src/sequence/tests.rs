mod properties;
mod segments;

use super::*;
use crate::refusal::RefusalKind;
use crate::rights::SubjectState;
use crate::watching::Attendance;
use crate::webinar::WebinarState;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

/// 18:15 on a Tuesday, for an hour.
fn start() -> Moment {
    at("2026-12-01T18:15:00Z")
}

fn booking(registered_at: Moment) -> Booking {
    Booking {
        registered_at,
        confirmed_at: registered_at,
        kind: BookingKind::Scheduled,
        starts_at: Some(start()),
        ends_at: Some(start().plus_seconds(HOUR)),
    }
}

fn template(timing: Timing) -> Template<u32> {
    Template {
        id: timing.minutes(),
        timing,
        segment: Segment::everybody(),
        is_promotional: false,
        is_on: true,
        added_at: at("2026-01-01T00:00:00Z"),
    }
}

fn before(minutes: u32) -> Template<u32> {
    template(Timing::Before { minutes })
}

fn after(minutes: u32) -> Template<u32> {
    template(Timing::After { minutes })
}

fn waiting(send_at: Moment, useful_until: Moment) -> Row {
    Row::Waiting { send_at, useful_until }
}

fn planned(template: &Template<u32>, booking: &Booking) -> Row {
    replan(None, Some(template), booking, booking.registered_at).expect("is planned")
}

fn facts() -> Facts {
    Facts {
        person: Some(SubjectState::Active),
        suppression: None,
        is_unsubscribed: false,
        has_withdrawn: false,
        is_session_cancelled: false,
        webinar: WebinarState::Published,
        is_closed_now: false,
        agreed_to_promotion: true,
        has_converted: false,
        is_in_the_room: false,
    }
}

fn due_row<'a>(template: &'a Template<u32>, booking: &Booking, verdict: Verdict) -> DueRow<'a, u32> {
    let Row::Waiting { send_at, useful_until } = planned(template, booking) else { panic!("waits") };
    DueRow { id: template.id, timing: template.timing, segment: &template.segment, send_at, useful_until, verdict }
}

#[test]
fn somebody_late_gets_the_confirmation_and_what_is_still_ahead() {
    let ben = booking(start().plus_seconds(-40 * MINUTE));
    let says = |minutes| planned(&before(minutes), &ben);
    assert_eq!(planned(&template(Timing::Confirmation), &ben), waiting(ben.registered_at, start().plus_seconds(HOUR)));
    assert_eq!(says(1_440), Row::Skipped(SkipReason::RegisteredTooLate));
    assert_eq!(says(60), Row::Skipped(SkipReason::RegisteredTooLate));
    assert_eq!(says(10), waiting(start().plus_seconds(-10 * MINUTE), start().plus_seconds(5 * MINUTE)));
    // At the very moment of registering is too late; twenty minutes after it too close.
    assert_eq!(says(40), Row::Skipped(SkipReason::RegisteredTooLate));
    assert_eq!(says(20), Row::Skipped(SkipReason::TooClose));
    assert!(matches!(says(19), Row::Waiting { .. }));
    let after_end = start().plus_seconds(HOUR + 30 * MINUTE);
    assert_eq!(planned(&after(30), &ben), waiting(after_end, after_end.plus_seconds(48 * HOUR)));
}

#[test]
fn without_a_wait_the_confirmation_is_enough() {
    let soon = |minutes: i64, kind| Booking { kind, ..booking(start().plus_seconds(-minutes * MINUTE)) };
    let only = Row::Skipped(SkipReason::ConfirmationOnly);
    assert_eq!(planned(&before(10), &soon(14, BookingKind::JustInTime)), only);
    assert_eq!(planned(&before(10), &soon(15, BookingKind::JustInTime)), Row::Skipped(SkipReason::TooClose));
    assert_eq!(planned(&before(10), &soon(14, BookingKind::Scheduled)), Row::Skipped(SkipReason::TooClose));
    assert!(matches!(planned(&after(30), &soon(14, BookingKind::JustInTime)), Row::Waiting { .. }));

    let registered = at("2026-12-01T09:00:00Z");
    let at_once = Booking { kind: BookingKind::OnDemand, starts_at: None, ends_at: None, ..booking(registered) };
    assert_eq!(planned(&before(10), &at_once), only);
    let confirmation = planned(&template(Timing::Confirmation), &at_once);
    assert_eq!(confirmation, waiting(registered, registered.plus_seconds(48 * HOUR)));
    // Nothing to follow before the first play; then it is planned.
    assert_eq!(plan(&after(30), &at_once, registered), Planned::NotYet);
    assert_eq!(replan(None, Some(&after(30)), &at_once, registered), None);
    let played = Booking { ends_at: Some(registered.plus_seconds(3 * HOUR)), ..at_once };
    let row = replan(None, Some(&after(30)), &played, registered.plus_seconds(2 * HOUR));
    assert!(matches!(row, Some(Row::Waiting { send_at, .. }) if send_at == at("2026-12-01T12:30:00Z")));
}

#[test]
fn what_is_added_later_applies_only_where_its_time_is_ahead() {
    let early = booking(start().plus_seconds(-72 * HOUR));
    let now = start().plus_seconds(-2 * HOUR);
    let added = |template: Template<u32>| Template { added_at: now, ..template };
    let says = |template: Template<u32>| plan(&added(template), &early, now);
    assert_eq!(says(before(1_440)), Planned::Skipped(SkipReason::AddedTooLate));
    assert!(matches!(says(before(60)), Planned::Waiting { .. }));
    // A sequence made for a webinar that has registrants does not confirm them again.
    assert_eq!(says(template(Timing::Confirmation)), Planned::Skipped(SkipReason::AddedTooLate));
}

#[test]
fn what_was_sent_stays_sent_whatever_changes() {
    let early = booking(start().plus_seconds(-72 * HOUR));
    let moved = Booking { starts_at: Some(start().plus_days(7)), ends_at: Some(start().plus_days(8)), ..early };
    let sent = Row::Sent { at: start().plus_seconds(-HOUR) };
    let now = start().plus_seconds(-30 * MINUTE);
    for changed in [Some(before(10)), Some(before(60)), Some(after(0)), Some(template(Timing::Confirmation)), None] {
        assert_eq!(replan(Some(sent), changed.as_ref(), &moved, now), Some(sent));
    }
}

#[test]
fn a_moved_session_takes_its_mails_along_and_brings_late_ones_back() {
    let ben = booking(start().plus_seconds(-40 * MINUTE));
    let now = start().plus_seconds(-30 * MINUTE);
    let moved = Booking { starts_at: Some(start().plus_days(7)), ends_at: Some(start().plus_days(8)), ..ben };
    for minutes in [10, 60, 1_440] {
        let row = replan(Some(planned(&before(minutes), &ben)), Some(&before(minutes)), &moved, now);
        let send_at = start().plus_days(7).plus_seconds(-i64::from(minutes) * MINUTE);
        assert!(matches!(row, Some(Row::Waiting { send_at: found, .. }) if found == send_at), "{row:?}");
    }
    // To an earlier time, which has passed.
    let early = booking(start().plus_seconds(-72 * HOUR));
    let sooner = Booking { starts_at: Some(now.plus_seconds(5 * MINUTE)), ..early };
    let row = replan(Some(planned(&before(10), &early)), Some(&before(10)), &sooner, now);
    assert_eq!(row, Some(Row::Skipped(SkipReason::AlreadyPassed)));
    // Superseded by an outage, but never sent: it belongs to the new time as well.
    let superseded = Row::Superseded { at: now };
    assert_eq!(replan(Some(superseded), Some(&before(60)), &early, now), Some(superseded));
    assert!(matches!(replan(Some(superseded), Some(&before(60)), &moved, now), Some(Row::Waiting { .. })));
    // A mail that was called off with its session comes back with another one.
    let called_off = Row::Dropped { reason: DropReason::SessionCancelled, at: now };
    assert!(matches!(replan(Some(called_off), Some(&after(30)), &moved, now), Some(Row::Waiting { .. })));
}

#[test]
fn a_mail_that_waits_for_the_worker_is_not_skipped() {
    let early = booking(start().plus_seconds(-72 * HOUR));
    let now = start().plus_seconds(-30 * MINUTE);
    let row = planned(&before(60), &early);
    assert_eq!(replan(Some(row), Some(&before(60)), &early, now), Some(row));
    let edited = replan(Some(row), Some(&before(45)), &early, now);
    assert!(matches!(edited, Some(Row::Waiting { send_at, .. }) if send_at == start().plus_seconds(-45 * MINUTE)));
    // One that was still to come, and is set to a time that has passed, is.
    let ahead = planned(&before(10), &early);
    assert_eq!(replan(Some(ahead), Some(&before(45)), &early, now), Some(Row::Skipped(SkipReason::AlreadyPassed)));
}

#[test]
fn switching_off_holds_back_and_switching_on_brings_back_what_is_ahead() {
    let early = booking(start().plus_seconds(-72 * HOUR));
    let off = Template { is_on: false, ..before(60) };
    let now = start().plus_seconds(-2 * HOUR);
    let row = replan(Some(planned(&before(60), &early)), Some(&off), &early, now);
    assert_eq!(row, Some(Row::Skipped(SkipReason::SwitchedOff)));
    assert!(matches!(replan(row, Some(&before(60)), &early, now), Some(Row::Waiting { .. })));
    // Too late, and it still says why.
    assert_eq!(replan(row, Some(&before(60)), &early, start()), row);
    assert_eq!(
        replan(Some(planned(&before(60), &early)), None::<&Template<u32>>, &early, now),
        Some(Row::Skipped(SkipReason::Removed))
    );
    let confirmation = Template { is_on: false, ..template(Timing::Confirmation) };
    assert!(matches!(planned(&confirmation, &early), Row::Waiting { .. }));
}

#[test]
fn who_watched_on_gets_no_second_follow_up() {
    // Dev left early and got that mail; the one for those who stayed was dropped. Next day he finishes.
    let dev = booking(start().plus_seconds(-72 * HOUR));
    let decided = start().plus_seconds(HOUR + 30 * MINUTE);
    let dropped = Row::Dropped { reason: DropReason::NotInSegment, at: decided };
    let attended = Template { segment: Segment::with_status(Attendance::AttendedToEnd), ..after(30) };
    let now = start().plus_days(1);
    assert_eq!(replan(Some(dropped), Some(&attended), &dev, now), Some(dropped));
    let in_three_days = Template { timing: Timing::After { minutes: 4_320 }, ..attended };
    assert_eq!(replan(Some(dropped), Some(&in_three_days), &dev, now), Some(dropped));
}

#[test]
fn after_an_outage_one_reminder_comes_once() {
    // Down from 17:00 to 18:05 before a session at 18:15 (scenario 5).
    let early = booking(start().plus_seconds(-72 * HOUR));
    let (hour, ten, day) = (before(60), before(10), before(1_440));
    let rows = [&day, &hour, &ten].map(|template| due_row(template, &early, Verdict::Send));
    let back = at("2026-12-01T18:05:00Z");
    let wanted = [(1_440, Decision::Superseded), (60, Decision::Superseded), (10, Decision::Send)];
    assert_eq!(due(&rows, None, back), wanted);
    // Two minutes earlier the hour's reminder gives way to the one that is about to come.
    assert_eq!(due(&rows[1..], None, at("2026-12-01T18:03:00Z")), [(60, Decision::Superseded)]);
    // In time, or without a next one, it goes.
    assert_eq!(due(&rows[1..], None, at("2026-12-01T17:15:10Z")), [(60, Decision::Send)]);
    assert_eq!(due(&rows[1..2], None, at("2026-12-01T18:03:00Z")), [(60, Decision::Send)]);
    // Five minutes into the session nothing is of use any more.
    assert_eq!(due(&rows[2..], None, at("2026-12-01T18:20:00Z")), [(10, Decision::Send)]);
    assert_eq!(due(&rows[2..], None, at("2026-12-01T18:20:01Z")), [(10, Decision::Expired)]);
    // What may not be sent takes nobody's place.
    let barred = DueRow { verdict: Verdict::Drop(DropReason::NotInSegment), ..rows[2] };
    let wanted = [(60, Decision::Send), (10, Decision::Drop(DropReason::NotInSegment))];
    assert_eq!(due(&[rows[1], barred], None, back), wanted);
    // With a confirmation that is late itself, the confirmation is enough.
    let late = booking(start().plus_seconds(-50 * MINUTE));
    let confirmation = template(Timing::Confirmation);
    let both = [&confirmation, &ten].map(|template| due_row(template, &late, Verdict::Send));
    assert_eq!(due(&both, None, back), [(0, Decision::Send), (10, Decision::Superseded)]);
}

#[test]
fn follow_ups_keep_their_distance() {
    let early = booking(start().plus_seconds(-72 * HOUR));
    let bought = Segment { conditions: vec![Condition::Converted], ..Segment::everybody() };
    let (thanks, next_day) = (after(30), after(1_440));
    let receipt = Template { id: 7, segment: bought, ..after(30) };
    let rows = [&thanks, &receipt, &next_day].map(|template| due_row(template, &early, Verdict::Send));
    let half_past = start().plus_seconds(HOUR + 30 * MINUTE);
    let later = Decision::Later { at: half_past.plus_seconds(20 * MINUTE) };
    assert_eq!(due(&rows, None, half_past), [(30, Decision::Send), (7, later)]);
    assert_eq!(due(&rows[1..], Some(half_past), half_past.plus_seconds(MINUTE)), [(7, later)]);
    let in_twenty = half_past.plus_seconds(20 * MINUTE);
    assert_eq!(due(&rows[1..], Some(half_past), in_twenty), [(7, Decision::Send)]);
    // A day later, after an outage: of the mails to everybody the last, of the others all, one at a time.
    let back = start().plus_seconds(26 * HOUR);
    let later = Decision::Later { at: back.plus_seconds(20 * MINUTE) };
    assert_eq!(due(&rows, None, back), [(30, Decision::Superseded), (7, Decision::Send), (1_440, later)]);
    // Whoever still watches is not judged yet.
    let watching = DueRow { verdict: Verdict::Wait, ..rows[0] };
    let later = Decision::Later { at: half_past.plus_seconds(10 * MINUTE) };
    assert_eq!(due(&[watching], None, half_past), [(30, later)]);
}

#[test]
fn who_may_be_written_to_depends_on_what_for() {
    let of = |purpose, change: &dyn Fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        may_send(purpose, &facts)
    };
    let wanted = |reason: Option<DropReason>| reason.map_or(Verdict::Send, Verdict::Drop);
    // By fact: the reason for everybody, or for those [confirmation, cancellation, reminder, follow-up, promotion].
    let for_all = |change: &dyn Fn(&mut Facts), reason| {
        for purpose in Purpose::ALL {
            assert_eq!(of(*purpose, change), Verdict::Drop(reason), "{purpose:?}");
        }
    };
    for_all(&|facts| facts.person = None, DropReason::Erased);
    for_all(&|facts| facts.person = Some(SubjectState::Erasing), DropReason::BeingErased);
    for_all(&|facts| facts.person = Some(SubjectState::Restricted), DropReason::Restricted);
    for_all(&|facts| facts.suppression = Some(Suppression::Bounced), DropReason::Bounced);
    for_all(&|facts| facts.suppression = Some(Suppression::Complained), DropReason::Complained);
    for_all(&|facts| facts.suppression = Some(Suppression::Asked), DropReason::Suppressed);
    for_all(&|facts| facts.has_withdrawn = true, DropReason::Withdrawn);
    let by_purpose = |change: &dyn Fn(&mut Facts), reason, dropped: [bool; 5]| {
        for (purpose, is_dropped) in Purpose::ALL.iter().zip(dropped) {
            assert_eq!(of(*purpose, change), wanted(is_dropped.then_some(reason)), "{purpose:?} {reason:?}");
        }
    };
    let all_but_the_notice = [true, false, true, true, true];
    by_purpose(&|facts| facts.is_session_cancelled = true, DropReason::SessionCancelled, all_but_the_notice);
    by_purpose(&|facts| facts.is_closed_now = true, DropReason::WebinarClosed, all_but_the_notice);
    by_purpose(&|facts| facts.webinar = WebinarState::Archived, DropReason::WebinarClosed, all_but_the_notice);
    by_purpose(&|facts| facts.webinar = WebinarState::Unpublished, DropReason::WebinarClosed, [false; 5]);
    by_purpose(&|facts| facts.is_unsubscribed = true, DropReason::Unsubscribed, [false, false, true, true, true]);
    let only_offers = [false, false, false, false, true];
    by_purpose(&|facts| facts.agreed_to_promotion = false, DropReason::NoPromotion, only_offers);
    by_purpose(&|facts| facts.has_converted = true, DropReason::Converted, only_offers);
    assert_eq!(of(Purpose::FollowUp, &|facts| facts.is_in_the_room = true), Verdict::Wait);
    assert_eq!(of(Purpose::Reminder, &|facts| facts.is_in_the_room = true), Verdict::Send);

    let missed = Template { segment: Segment::with_status(Attendance::Missed), ..after(30) };
    assert_eq!(missed.verdict(&facts(), &Behaviour::default()), Verdict::Drop(DropReason::NotInSegment));
    let behaviour = Behaviour { status: Attendance::Missed, ..Behaviour::default() };
    assert_eq!(missed.verdict(&facts(), &behaviour), Verdict::Send);
}

#[test]
fn every_reason_is_told_in_a_sentence_of_its_own() {
    let skips = SkipReason::ALL.iter().map(|reason| reason.sentence());
    let drops = DropReason::ALL.iter().map(|reason| reason.sentence());
    let mut sentences: Vec<&str> = skips.chain(drops).collect();
    assert!(sentences.iter().all(|sentence| sentence.starts_with("Not sent: ") && sentence.ends_with('.')));
    let count = sentences.len();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), count);
}

#[test]
fn a_sequence_has_one_confirmation_and_its_limits() {
    let field = |result: Result<(), Refusal>| {
        result.err().map(|refusal| {
            assert_eq!(refusal.kind, RefusalKind::Invalid);
            refusal.field.expect("names its field")
        })
    };
    let confirmation = template(Timing::Confirmation);
    let mut whole = vec![confirmation.clone()];
    whole.extend((0..10).map(|place| before(10 + place)));
    whole.extend((0..10).map(after));
    assert_eq!(field(check_sequence(&whole)), None);
    assert_eq!(field(check_sequence(&whole[1..])).as_deref(), Some("timing"));
    for surplus in [confirmation.clone(), before(100), after(100)] {
        let more = [whole.clone(), vec![surplus]].concat();
        assert_eq!(field(check_sequence(&more)).as_deref(), Some("timing"));
    }
    assert!(check_sequence(&[confirmation.clone(), after(5), after(5)]).is_err());

    assert_eq!(field(before(4).check(None)).as_deref(), Some("minutes"));
    assert_eq!(field(before(43_201).check(None)).as_deref(), Some("minutes"));
    assert_eq!(field(after(43_201).check(None)).as_deref(), Some("minutes"));
    assert_eq!(field(after(0).check(None)), None);
    assert_eq!(field(Template { is_on: false, ..confirmation }.check(None)).as_deref(), Some("is_on"));
    let selling = Template { is_promotional: true, ..before(10) };
    assert_eq!(field(selling.check(None)).as_deref(), Some("is_promotional"));
    let choosy = Template { segment: Segment::with_status(Attendance::Missed), ..before(10) };
    assert_eq!(field(choosy.check(None)).as_deref(), Some("segment"));
    assert_eq!(Timing::from_stored("before", 4), None);
    assert_eq!(before(1_530).timing.label(), "1 day, 1 hour and 30 minutes before the start");
}

#[test]
fn the_first_sequence_can_be_sent_as_it_is() {
    let set = default_set();
    let templates: Vec<Template<usize>> = set
        .iter()
        .enumerate()
        .map(|(id, one)| Template {
            id,
            timing: one.timing,
            segment: one.segment.clone(),
            is_promotional: one.is_promotional,
            is_on: true,
            added_at: start(),
        })
        .collect();
    check_sequence(&templates).expect("fits together");
    for (one, template) in set.iter().zip(&templates) {
        template.check(Some(60.0)).expect("each is acceptable");
        placeholders::check_subject(one.subject).expect("a subject");
        placeholders::check_body(one.body).expect("a body");
        let words = format!("{} {}", one.subject, one.body).to_lowercase();
        for claim in [" live", "hurry", "last chance", "only today", "seats", "limited"] {
            assert!(!words.contains(claim), "{claim} in {}", one.subject);
        }
        // Nothing is known of the person, and it still reads.
        let bare = placeholders::fill_body(one.body, &placeholders::Values::default());
        assert!(!bare.contains("{{") && bare.starts_with("Hello there,"), "{bare}");
    }
    // Whoever watched gets exactly one of the three that follow.
    for status in [Attendance::AttendedToEnd, Attendance::LeftEarly, Attendance::Missed] {
        let behaviour = Behaviour { status, ..Behaviour::default() };
        let follow_ups = templates.iter().filter(|template| template.timing.kind() == TimingKind::After);
        assert_eq!(follow_ups.filter(|template| template.segment.matches(&behaviour)).count(), 1);
    }
}
