//! The times on a registration page, and the booking of one: what was clicked is what is booked.
//!
//! A slot travels in the form, signed: its start, its rule, its zone and what the wall shows. Nothing is stored until
//! somebody books it; then the session is made, once for everybody who comes to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{RegistrationId, ScheduleRuleId, SessionId, WebinarId};
use domain::registration::BookedTime;
use domain::schedule::{Offering, Rule, Schedule, Slot, offered, shift_text};
use domain::stay::Stay;
use domain::webinar::{AT_ONCE, SessionKind, SlotView, Times};
use domain::{Moment, Refusal};
use persistence::entities::{schedule_rule, webinar};
use persistence::schedules::{Change, WAITING, WantedSession, session_key};
use serde::{Deserialize, Serialize};

use crate::secrets::{Secrets, same};
use crate::zones::{Bundled, in_one_line, in_words, spelt, time_zones};
use crate::{Backend, Result};

/// Bytes of a signature: 128 bits.
const SIGNATURE_BYTES: usize = 16;
/// A way in stands on the page when the start is this close (product.md §4.2).
const SOON_SECONDS: i64 = 3_600;
/// Days for which somebody is told of new dates; with one they have a link that lasts by itself.
const WAITING_DAYS: i64 = 180;
/// An offer to switch stands as long as somebody may be reading it.
const SWITCH_SECONDS: i64 = 3_600;

/// A webinar's times as stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredSchedule {
    /// What goes for all, with the rules in order.
    pub schedule: Schedule,
    /// The rules' ids, in the same order.
    pub rules: Vec<ScheduleRuleId>,
}

impl StoredSchedule {
    pub(crate) fn of(row: &webinar::Model, rules: &[schedule_rule::Model]) -> Result<Self> {
        let mut schedule: Schedule = serde_json::from_str(&row.schedule)?;
        schedule.rules =
            rules.iter().map(|rule| serde_json::from_str::<Rule>(&rule.rule)).collect::<std::result::Result<_, _>>()?;
        Ok(Self { schedule, rules: rules.iter().map(|rule| rule.id).collect() })
    }

    /// The zone times are shown in to somebody who chose none.
    pub(crate) fn own_zone(&self) -> &str {
        let zones = self.schedule.rules.iter().filter_map(|rule| match rule {
            Rule::Timed(timed) => timed.zone.as_deref(),
            Rule::JustInTime(_) => None,
        });
        let dates = self.schedule.extra.iter().filter_map(|date| date.zone.as_deref());
        zones.chain(dates).next().unwrap_or("UTC")
    }
}

/// What a form says was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chosen {
    /// When it starts.
    #[serde(rename = "s")]
    pub starts_at: Moment,
    /// The rule it comes from, unless it is a single date.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<ScheduleRuleId>,
    /// The zone its wall time was resolved in.
    #[serde(rename = "z")]
    pub zone: String,
    /// What the wall shows there.
    #[serde(rename = "w")]
    pub wall: String,
    /// Whether it exists for people of that zone alone.
    #[serde(rename = "f")]
    pub floats: bool,
    /// Whether it is just in time.
    #[serde(rename = "j")]
    pub just_in_time: bool,
}

impl Chosen {
    fn of(slot: &Slot, stored: &StoredSchedule) -> Self {
        let rule = slot.rule.and_then(|place| stored.schedule.rules.get(place));
        Self {
            starts_at: slot.starts_at,
            rule: slot.rule.and_then(|place| stored.rules.get(place).copied()),
            zone: slot.zone.clone(),
            wall: slot.wall.to_string(),
            floats: slot.floats,
            just_in_time: matches!(rule, Some(Rule::JustInTime(_))),
        }
    }

    /// The session it is: everybody who comes at the same instant by the same kind of rule meets in one.
    pub(crate) fn session(&self) -> WantedSession<'static> {
        let kind = if self.just_in_time { "just_in_time" } else { SessionKind::Scheduled.as_str() };
        let zone = if self.floats { self.zone.as_str() } else { "" };
        WantedSession {
            kind,
            key: session_key(kind, self.starts_at, zone),
            rule: self.rule,
            starts_at: Some(self.starts_at),
            zone: Some(self.zone.clone()),
            wall_time: Some(self.wall.clone()),
        }
    }
}

/// What a booking says that met a session its coach called off.
pub(super) fn called_off() -> Refusal {
    Refusal::field("slot", "This date was called off. Please choose another one.")
}

/// Somebody is offered to come at another time.
#[derive(Debug, Serialize, Deserialize)]
struct Switch {
    booking: RegistrationId,
    to: Chosen,
    zone: String,
    until: Moment,
}

pub(super) fn signed(secrets: &Secrets, purpose: &str, webinar: WebinarId, claim: &impl Serialize) -> Result<String> {
    let claim = serde_json::to_vec(claim)?;
    let mac = secrets.mac(purpose, &[webinar.as_bytes(), &claim]);
    Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&claim), URL_SAFE_NO_PAD.encode(&mac[..SIGNATURE_BYTES])))
}

pub(super) fn proven<T: for<'a> Deserialize<'a>>(
    secrets: &Secrets,
    purpose: &str,
    webinar: WebinarId,
    text: &str,
) -> Option<T> {
    let (claim, signature) = text.split_once('.')?;
    let claim = URL_SAFE_NO_PAD.decode(claim).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let mac = secrets.mac(purpose, &[webinar.as_bytes(), &claim]);
    same(&signature, &mac[..SIGNATURE_BYTES]).then(|| serde_json::from_slice(&claim).ok()).flatten()
}

/// What becomes of a booking on a session.
#[derive(Clone, Debug)]
pub(crate) struct Booked {
    pub session: WantedSession<'static>,
    pub time_zone: Option<String>,
    pub expires_at: Moment,
    pub finalises_at: Option<Moment>,
    pub time: Option<BookedTime>,
}

impl Booked {
    /// The same for a booking that is there already.
    pub(crate) fn change(&self, session: SessionId) -> Change {
        let Self { time_zone, expires_at, finalises_at, .. } = self;
        Change { session, time_zone: time_zone.clone(), expires_at: *expires_at, finalises_at: *finalises_at }
    }
}

impl Backend {
    /// The times a visitor sees. `asked` is the zone the visitor chose, if they did.
    pub(crate) fn times(&self, row: &webinar::Model, stored: &StoredSchedule, asked: Option<&str>) -> Result<Times> {
        let asked = asked.and_then(spelt);
        let zone = asked.clone().unwrap_or_else(|| stored.own_zone().to_owned());
        let now = self.now();
        let mut slots = Vec::new();
        for slot in offered(&stored.schedule, &Bundled, Offering { viewer: &zone, now }) {
            let chosen = Chosen::of(&slot, stored);
            let (text, zone_text) = in_words(slot.starts_at, &zone);
            slots.push(SlotView {
                value: signed(self.secrets(), "slot", row.id, &chosen)?,
                starts_at: slot.starts_at,
                text,
                zone_text,
                note: slot.shift.map(shift_text),
            });
        }
        Ok(Times { is_chosen: asked.is_some(), zone, zones: time_zones(), slots, on_demand: stored.schedule.on_demand })
    }

    /// What is booked when somebody sends this slot. One that has passed becomes the next one.
    pub(crate) fn chosen(
        &self,
        row: &webinar::Model,
        stored: &StoredSchedule,
        (slot, zone): (&str, &str),
    ) -> Result<(Option<Chosen>, bool, String)> {
        let zone = spelt(zone).unwrap_or_else(|| stored.own_zone().to_owned());
        if slot.is_empty() {
            return Err(Refusal::field("slot", "Please choose a time.").into());
        }
        if slot == AT_ONCE {
            if stored.schedule.on_demand {
                return Ok((None, false, zone));
            }
            return Err(Refusal::field("slot", "The recording is shown at set times only. Please choose one.").into());
        }
        let chosen: Chosen = proven(self.secrets(), "slot", row.id, slot)
            .ok_or_else(|| Refusal::field("slot", "Please choose one of the times once more."))?;
        let floating = chosen.floats.then_some(chosen.zone.as_str()).zip(chosen.wall.parse().ok());
        if !chosen.just_in_time && stored.schedule.is_called_off(chosen.starts_at, floating) {
            return Err(called_off().into());
        }
        if chosen.starts_at > self.now() {
            return Ok((Some(chosen), false, zone));
        }
        let next = offered(&stored.schedule, &Bundled, Offering { viewer: &zone, now: self.now() });
        let next = next.first().map(|slot| Chosen::of(slot, stored));
        let gone = "The time you chose has passed, and there is no other one at the moment.";
        Ok((Some(next.ok_or_else(|| Refusal::field("slot", gone))?), true, zone))
    }

    /// The booking of somebody who wants to be told of new dates.
    ///
    /// # Errors
    /// Refuses it where there is something to choose.
    pub(crate) fn waits(&self, stored: &StoredSchedule, zone: &str) -> Result<Booked> {
        let zone = spelt(zone).unwrap_or_else(|| stored.own_zone().to_owned());
        let now = self.now();
        if stored.schedule.on_demand || !offered(&stored.schedule, &Bundled, Offering { viewer: &zone, now }).is_empty()
        {
            return Err(Refusal::field("slot", "There are dates by now. Please choose one.").into());
        }
        Ok(Booked {
            session: WantedSession::undated(WAITING),
            time_zone: Some(zone),
            expires_at: now.plus_days(WAITING_DAYS),
            finalises_at: None,
            time: None,
        })
    }

    /// The booking of a chosen time, or of the recording at once.
    pub(crate) fn booked(
        &self,
        row: &webinar::Model,
        stored: &StoredSchedule,
        (chosen, is_next, zone): (Option<Chosen>, bool, String),
        duration_seconds: i64,
    ) -> Booked {
        let now = self.now();
        match chosen {
            None => Booked {
                session: WantedSession::undated(SessionKind::OnDemand.as_str()),
                time_zone: Some(zone),
                expires_at: Stay::at_once(now, i64::from(row.link_days)).expires_at,
                finalises_at: None,
                time: None,
            },
            Some(chosen) => {
                let stands = Stay::in_a_session(&stored.schedule, chosen.starts_at, duration_seconds);
                let text = in_one_line(chosen.starts_at, &zone);
                Booked {
                    session: chosen.session(),
                    time_zone: Some(zone),
                    expires_at: stands.expires_at,
                    finalises_at: stands.finalises_at,
                    time: Some(BookedTime {
                        text,
                        is_next,
                        is_soon: chosen.starts_at <= now.plus_seconds(SOON_SECONDS),
                    }),
                }
            }
        }
    }

    /// Offers somebody who is registered already to come at the time they chose now.
    pub(crate) fn switch_offer(
        &self,
        webinar: WebinarId,
        booking: RegistrationId,
        (to, zone): (Chosen, String),
    ) -> Result<domain::registration::SwitchOffer> {
        let text = in_one_line(to.starts_at, &zone);
        let switch = Switch { booking, to, zone, until: self.now().plus_seconds(SWITCH_SECONDS) };
        let token = signed(self.secrets(), "switch", webinar, &switch)?;
        Ok(domain::registration::SwitchOffer { token, text })
    }

    /// What an offer to switch says, while it stands.
    pub(crate) fn offered_switch(&self, webinar: WebinarId, token: &str) -> Result<(RegistrationId, Chosen, String)> {
        let now = self.now();
        let switch: Option<Switch> = proven(self.secrets(), "switch", webinar, token);
        let switch = switch.filter(|switch| switch.until > now && switch.to.starts_at > now);
        let over = "This offer is no longer good. Please choose a time once more; nothing was changed.";
        let switch = switch.ok_or_else(|| Refusal::new(domain::RefusalKind::Conflict, over))?;
        Ok((switch.booking, switch.to, switch.zone))
    }
}
