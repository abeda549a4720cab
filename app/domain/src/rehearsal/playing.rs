//! The figure's way from the registration page to the end of the link.

use jiff::tz::TimeZone;

use super::mails::{Known, Post};
use super::{Choice, Conduct, Figure, Mishaps, Scene, SeenTime, Setup, Visit, What, unknown_zone};
use crate::moment::Moment;
use crate::refusal::{Refusal, RefusalKind};
use crate::schedule::{Offering, Rule, Slot, Zones, in_one_line, in_words, offered, shift_text};
use crate::sequence::placeholders::{Placeholder, Values};
use crate::sequence::{Behaviour, Booking, BookingKind};
use crate::stay::{Arrival, Stay, entry_ends_at, is_worth_an_entry, opens_at_second};
use crate::watching::{Attendance, CreditedRange, WatchMap, Watched, outcome};
use crate::webinar::SessionKind;

/// Everything the figure meets, in time order.
///
/// # Errors
/// Refuses, in a sentence: a zone we do not know, a webinar without a recording, a choice the page would not offer, and a
/// schedule that offers nothing at all at that moment.
pub fn rehearse<Id: Copy>(
    setup: &Setup<'_, Id>,
    figure: &Figure,
    mishaps: Mishaps,
    zones: &impl Zones,
) -> Result<Vec<Scene<Id>>, Refusal> {
    let zone = zones.zone(&figure.zone).ok_or_else(|| unknown_zone(&figure.zone))?;
    if setup.duration_seconds.is_nan() || setup.duration_seconds < 1.0 {
        let message = "There is no recording yet. Upload one, and the rehearsal can begin.";
        return Err(Refusal::new(RefusalKind::Conflict, message));
    }
    let seen_at = figure.signs_up_at.plus_seconds(-i64::from(figure.reads_minutes) * 60);
    let page = Page::at(setup, figure, zones, seen_at);
    let (slot, is_next) = page.choice(setup, figure, zones)?;
    let journey = Journey::new(setup, figure, mishaps, (slot.as_ref(), zone.clone()));
    let seen = |slot: &Slot| SeenTime {
        starts_at: slot.starts_at,
        text: in_one_line(slot.starts_at, &figure.zone, &zone),
        note: slot.shift.map(shift_text),
    };
    let slots = page.slots.iter().map(seen).collect();
    let wants_offers = figure.wants_offers && setup.asks_about_offers;
    let session = slot.as_ref().map(seen);
    let mut scenes = vec![
        Scene { at: seen_at, what: What::PageSeen { slots, at_once: page.at_once } },
        Scene { at: figure.signs_up_at, what: What::Registered { session, is_next, wants_offers } },
    ];
    scenes.extend(journey.rooms());
    let is_unwanted = figure.conduct == Conduct::UnsubscribesAfterFirstReminder;
    let post = Post { letters: setup.letters, known: &journey, mishaps: journey.mishaps, wants_offers, is_unwanted };
    scenes.extend(post.scenes(figure.signs_up_at));
    scenes.sort_by_key(|scene| (scene.at, rank(&scene.what)));
    Ok(scenes)
}

/// What comes first of what happens at one moment.
const fn rank<Id>(what: &What<Id>) -> u8 {
    match what {
        What::PageSeen { .. } => 0,
        What::Registered { .. } => 1,
        What::CalendarEntry { .. } => 2,
        What::CalledOff => 3,
        What::DoorsOpen => 4,
        What::RoomOpens => 5,
        // In the order of the visits.
        What::Joined { .. } | What::Left { .. } => 6,
        What::SessionEnds => 8,
        What::ReplayOpens { .. } => 9,
        What::OutcomeFinal { .. } => 10,
        What::OutcomeRaised { .. } => 11,
        What::ReplayEnds | What::LinkEnds => 12,
        What::FoundOver => 13,
        What::Mail { .. } | What::MailNot { .. } => 14,
        What::Unsubscribed => 15,
    }
}

/// The registration page as the figure sees it.
struct Page {
    slots: Vec<Slot>,
    at_once: bool,
}

impl Page {
    fn at<Id>(setup: &Setup<'_, Id>, figure: &Figure, zones: &impl Zones, now: Moment) -> Self {
        match setup.kind {
            SessionKind::Scheduled => Self {
                slots: offered(setup.schedule, zones, Offering { viewer: &figure.zone, now }),
                at_once: setup.schedule.on_demand,
            },
            SessionKind::OnDemand | SessionKind::Replay => Self { slots: Vec::new(), at_once: true },
        }
    }

    /// What is booked, and whether it is the next one instead of one that has passed meanwhile.
    fn choice<Id>(
        &self,
        setup: &Setup<'_, Id>,
        figure: &Figure,
        zones: &impl Zones,
    ) -> Result<(Option<Slot>, bool), Refusal> {
        let chosen = match figure.choice {
            Choice::FirstOffered => self.slots.first(),
            Choice::At { starts_at } => {
                let found = self.slots.iter().find(|slot| slot.starts_at == starts_at);
                let message = "The page does not offer this time to somebody who comes then. Please choose one it \
                               offers.";
                Some(found.ok_or_else(|| Refusal::field("slot", message))?)
            }
            Choice::AtOnce if self.at_once => None,
            Choice::AtOnce => {
                let message = "The recording is shown at set times only. Please choose one.";
                return Err(Refusal::field("slot", message));
            }
        };
        match chosen {
            Some(slot) if slot.starts_at > figure.signs_up_at => Ok((Some(slot.clone()), false)),
            Some(_) => {
                let next = Self::at(setup, figure, zones, figure.signs_up_at).slots.into_iter().next();
                let gone = "The time they chose has passed when they send the form, and there is no other one then.";
                Ok((Some(next.ok_or_else(|| Refusal::field("slot", gone))?), true))
            }
            None if self.at_once => Ok((None, false)),
            None => {
                let message = "Nobody can register at this moment: the times hold no session that could still be \
                               booked. Add a time, or rehearse another day.";
                Err(Refusal::new(RefusalKind::Conflict, message))
            }
        }
    }
}

/// One stretch of play.
#[derive(Clone, Copy)]
struct Play {
    arrival: Arrival,
    to: f64,
    joined_at: Moment,
    left_at: Moment,
}

impl Play {
    /// What was played of it by then; nothing before the first second of it.
    fn range(&self, now: Moment) -> Option<CreditedRange> {
        let from = self.arrival.at_second;
        let range = CreditedRange { from, to: self.to.min(from + now.seconds_since(self.joined_at)) };
        (range.from < range.to).then_some(range)
    }

    fn is_real(&self) -> bool {
        self.range(self.left_at).is_some()
    }
}

/// The figure, booked.
struct Journey<'a, Id> {
    setup: &'a Setup<'a, Id>,
    figure: &'a Figure,
    mishaps: Mishaps,
    zone: TimeZone,
    kind: BookingKind,
    starts_at: Option<Moment>,
    stay: Stay,
    /// What they play, visit after visit.
    plays: Vec<Play>,
    /// When they open their link and nothing plays any more.
    found_over_at: Option<Moment>,
}

fn moved(at: Moment, seconds: f64) -> Moment {
    Moment(at.0.saturating_add((seconds * 1e6).round() as i64))
}

impl<'a, Id> Journey<'a, Id> {
    fn new(
        setup: &'a Setup<'a, Id>,
        figure: &'a Figure,
        mishaps: Mishaps,
        (slot, zone): (Option<&Slot>, TimeZone),
    ) -> Self {
        let is_soon = |slot: &Slot| {
            slot.rule.is_some_and(|rule| matches!(setup.schedule.rules.get(rule), Some(Rule::JustInTime(_))))
        };
        let kind = match slot {
            Some(slot) if is_soon(slot) => BookingKind::JustInTime,
            Some(_) => BookingKind::Scheduled,
            None if setup.kind == SessionKind::Replay => BookingKind::Replay,
            None => BookingKind::OnDemand,
        };
        let starts_at = slot.map(|slot| slot.starts_at);
        let link_days = i64::from(setup.link_days);
        let stay = match starts_at {
            Some(starts_at) => Stay::in_a_session(setup.schedule, starts_at, whole_seconds(setup)),
            None => Stay::at_once(figure.signs_up_at, link_days),
        };
        // What was called off before it was booked could not be booked, and what has begun takes place.
        let can_be_called_off = |at: &Moment| *at > figure.signs_up_at && starts_at.is_some_and(|start| *at < start);
        let mishaps = Mishaps { called_off_at: mishaps.called_off_at.filter(can_be_called_off), ..mishaps };
        let (plays, found_over_at) = (Vec::new(), None);
        let mut journey = Self { setup, figure, mishaps, zone, kind, starts_at, stay, plays, found_over_at };
        let mut since = starts_at.unwrap_or(figure.signs_up_at);
        for visit in figure.conduct.visits() {
            match journey.visits(visit, since) {
                Some(left_at) => since = left_at,
                None => break,
            }
        }
        journey
    }

    /// Lets them open their link once more, so long `since` they left. Returns when they leave; nothing where there is
    /// nothing to come back to.
    fn visits(&mut self, visit: Visit, since: Moment) -> Option<Moment> {
        let Setup { schedule, duration_seconds: duration, .. } = *self.setup;
        let joined_at = since.plus_seconds(i64::from(visit.after_minutes) * 60);
        if self.mishaps.called_off_at.is_some_and(|off| off <= joined_at) {
            return None;
        }
        if joined_at >= self.stay.expires_at {
            self.found_over_at = Some(joined_at);
            return None;
        }
        let last = self.plays.iter().rfind(|play| play.is_real()).map(|play| play.to);
        let arrival = opens_at_second(schedule.late_join, (self.starts_at, joined_at), duration, last);
        let from = arrival.at_second;
        let to = visit.leaves_at_minute.map_or(duration, |minute| (f64::from(minute) * 60.0).clamp(from, duration));
        if self.starts_at.is_none() && last.is_none() && from < to {
            // The link runs from the first real play.
            self.stay = Stay::at_once(joined_at, i64::from(self.setup.link_days));
        }
        let left_at = moved(joined_at, to - from).min(self.stay.expires_at);
        let to = to.min(from + left_at.seconds_since(joined_at));
        self.plays.push(Play { arrival, to, joined_at, left_at });
        Some(left_at)
    }

    /// Everything that is no mail.
    fn rooms(&self) -> Vec<Scene<Id>> {
        let mut scenes = Vec::new();
        let mut add = |at, what| scenes.push(Scene { at, what });
        let signs_up_at = self.figure.signs_up_at;
        let called_off_at = self.mishaps.called_off_at;
        let takes_place = |at: Moment| called_off_at.is_none_or(|off| at < off);
        if let Some(off) = called_off_at {
            add(off, What::CalledOff);
        }
        if let (Some(starts), Some(ends)) = (self.starts_at, self.stay.over_at(None)) {
            if is_worth_an_entry(starts, signs_up_at) {
                let ends = entry_ends_at(starts, whole_seconds(self.setup));
                add(signs_up_at, What::CalendarEntry { starts, ends });
            }
            // Whoever registers after that finds them open.
            let doors = self.setup.schedule.doors_open(starts).max(signs_up_at);
            let until = self.stay.expires_at;
            let replays = self.setup.schedule.replay_days > 0;
            let of_the_session = [
                (doors, What::DoorsOpen),
                (starts, What::RoomOpens),
                (ends, What::SessionEnds),
                (ends, What::ReplayOpens { until }),
            ];
            for (at, what) in of_the_session {
                let is_told = replays || !matches!(what, What::ReplayOpens { .. });
                if is_told && takes_place(at) {
                    add(at, what);
                }
            }
            if takes_place(until) {
                add(until, if replays { What::ReplayEnds } else { What::LinkEnds });
            }
        } else {
            add(self.stay.expires_at, What::LinkEnds);
        }
        for play in &self.plays {
            let Arrival { at_second, goes_on } = play.arrival;
            add(play.joined_at, What::Joined { at_second: at_second as u32, goes_on });
            add(play.left_at, What::Left { at_second: play.to as u32 });
        }
        if let Some(at) = self.found_over_at {
            add(at, What::FoundOver);
        }
        let final_at = self.final_at();
        if takes_place(final_at) {
            let mut status = self.status(final_at);
            add(final_at, What::OutcomeFinal { status });
            for play in self.plays.iter().filter(|play| play.left_at > final_at) {
                let later = self.status(play.left_at);
                if later != status {
                    add(play.left_at, What::OutcomeRaised { status: later });
                    status = later;
                }
            }
        }
        scenes
    }

    /// What they have played by then.
    fn map(&self, now: Moment) -> WatchMap {
        let mut map = WatchMap::empty(self.setup.duration_seconds);
        for range in self.ranges(now) {
            map.mark(range);
        }
        map
    }

    fn ranges(&self, now: Moment) -> impl Iterator<Item = CreditedRange> {
        self.plays.iter().filter_map(move |play| play.range(now))
    }

    /// How far they have come by then; nothing before the first play.
    fn furthest(&self, now: Moment) -> Option<f64> {
        self.ranges(now).map(|range| range.to).reduce(f64::max)
    }

    fn status(&self, now: Moment) -> Attendance {
        let watched = Watched {
            unique_seconds: self.map(now).unique_seconds(),
            last_credit_at: self.last_credit_at(now),
            finalised: self.final_at() <= now,
        };
        outcome(&watched, self.setup.duration_seconds, self.setup.thresholds)
    }
}

impl<Id> Known for Journey<'_, Id> {
    fn booking(&self, now: Moment) -> Booking {
        let finalised_at = Some(self.final_at()).filter(|at| *at <= now);
        Booking {
            registered_at: self.figure.signs_up_at,
            confirmed_at: self.figure.signs_up_at,
            kind: self.kind,
            starts_at: self.starts_at,
            ends_at: self.stay.over_at(finalised_at),
        }
    }

    fn behaviour(&self, now: Moment) -> Behaviour {
        let furthest_seconds = self.furthest(now);
        let joined_at = self.plays.iter().find(|play| play.range(now).is_some()).map(|play| play.joined_at);
        let joined = joined_at.zip(self.starts_at);
        Behaviour {
            status: self.status(now),
            percent: self.map(now).percent(),
            furthest_seconds,
            joined_after_seconds: joined.map(|(played, starts)| played.seconds_since(starts)),
            has_opened_on_demand: self.starts_at.is_none() && joined_at.is_some(),
            ..Behaviour::default()
        }
    }

    fn last_credit_at(&self, now: Moment) -> Option<Moment> {
        let played = self.plays.iter().filter(|play| play.range(now).is_some());
        played.map(|play| play.left_at.min(now)).max()
    }

    fn values(&self, now: Moment) -> Values {
        let words = |at| in_words(at, &self.figure.zone, &self.zone);
        let map = self.map(now);
        let values = Values::default()
            .with(Placeholder::Webinar, self.setup.title)
            .with(Placeholder::Presenter, self.setup.presenter)
            .with(Placeholder::FirstName, &self.figure.first_name)
            .with(Placeholder::Name, &self.figure.first_name)
            .with(Placeholder::MinutesWatched, (map.unique_seconds() / 60).to_string())
            .with(Placeholder::PercentWatched, (map.percent() as u32).to_string())
            .with(Placeholder::ReplayUntil, words(self.stay.expires_at).0);
        let Some((when, zone_text)) = self.starts_at.map(words) else { return values };
        let (day, time) = when.rsplit_once(", ").unwrap_or((&when, ""));
        values
            .with(Placeholder::SessionDay, day)
            .with(Placeholder::SessionTime, time)
            .with(Placeholder::TimeZone, zone_text)
    }

    fn final_at(&self) -> Moment {
        let mut last = None;
        for play in self.plays.iter().filter(|play| play.is_real()) {
            let final_at = self.stay.final_at(last);
            if final_at <= play.joined_at {
                return final_at;
            }
            last = Some(play.left_at);
        }
        self.stay.final_at(last)
    }
}

/// The recording's length as sessions count it.
fn whole_seconds<Id>(setup: &Setup<'_, Id>) -> i64 {
    setup.duration_seconds.floor() as i64
}
