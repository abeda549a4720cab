//! What is sent when: one beat at a time, numbered when it first leaves, within what the server's clamp believes.
//!
//! The clamp measures wall time since the last beat it accepted, so two beats sent at once after a gap would be
//! rejected. While the network is away, ranges that go on from one another are therefore joined into one; ranges that
//! do not are paced.

use std::collections::VecDeque;

use super::Played;
use crate::watching::{BEAT_SLACK_SECONDS, BEATS_PER_MINUTE};

/// Beats kept while nothing can be sent: half an hour of play that jumps about. The oldest goes first.
const MOST_WAITING: usize = 180;
/// Part of the server's slack left for a slow trip.
const MARGIN_SECONDS: f64 = 0.5;
/// A request without an answer counts as lost after this long.
const ANSWER_SECONDS: f64 = 20.0;
/// Unanswered tries remembered per beat.
const MOST_UNSURE: usize = 16;
/// A burst spends what the server allows at once; afterwards one beat each so many seconds.
const SPACING_SECONDS: f64 = 60.0 / BEATS_PER_MINUTE as f64;
/// Beats sent at once. Three fewer than the server takes: two are kept for leaving the page, and one covers beats that
/// arrive closer together than they left.
const AT_ONCE: f64 = (BEATS_PER_MINUTE - 3) as f64;
/// Beats sent at once when the page may vanish.
const AT_ONCE_LEAVING: f64 = (BEATS_PER_MINUTE - 1) as f64;
/// Longest pause between tries.
const LONGEST_PAUSE_SECONDS: f64 = 60.0;

/// A numbered beat on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Number within the view.
    pub seq: u32,
    /// What it reports.
    pub played: Played,
}

impl Outgoing {
    /// The body of `POST /api/beats`. Written by hand: numbers stay whole milliseconds, and the browser is spared the
    /// weight of printing floats.
    #[must_use]
    pub fn json(&self, view: &str) -> String {
        let Played { from_ms, to_ms, manner } = self.played;
        format!(
            "{{\"view\":\"{view}\",\"seq\":{},\"from\":{}.{:03},\"to\":{}.{:03},\"rate\":{}.{:03},\"hidden\":{},\"muted\":{},\"captions\":{}}}",
            self.seq,
            from_ms / 1000,
            from_ms % 1000,
            to_ms / 1000,
            to_ms % 1000,
            manner.rate_milli / 1000,
            manner.rate_milli % 1000,
            manner.hidden,
            manner.muted,
            manner.captions
        )
    }
}

/// What came of sending a beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// 204: durable.
    Accepted,
    /// 422 and other answers that will not change.
    Rejected,
    /// 404 or 410: the visit is over.
    Over,
    /// 5xx: not taken; try again after so many seconds, when the server said when.
    Later(Option<f64>),
    /// 429: not taken and nothing is wrong; try again after so many seconds.
    Crowded(Option<f64>),
    /// No answer at all: it may have arrived.
    Lost,
}

impl Answer {
    /// From a status.
    #[must_use]
    pub const fn from_status(status: u16, retry_after_seconds: Option<f64>) -> Self {
        match status {
            200..=299 => Self::Accepted,
            404 | 410 => Self::Over,
            429 => Self::Crowded(retry_after_seconds),
            408 | 500..=599 => Self::Later(retry_after_seconds),
            _ => Self::Rejected,
        }
    }
}

struct Waiting {
    played: Played,
    /// Given by the first try; a repeat keeps it, so that the server counts it once.
    seq: Option<u32>,
    /// Ends of shorter beats with the same start that were sent and never answered, earliest first, and when each was
    /// sent last. The first was believed most likely; a longer one only when enough time had passed since.
    unsure: Vec<(u64, f64)>,
    /// When its start may have been believed: the rest is believed only as long after it as it takes to play.
    since: f64,
    /// What is left of a beat whose start had arrived without an answer.
    is_remainder: bool,
}

/// The queue between the meter and the network. Times are seconds of one clock that never goes back.
pub struct Outbox {
    waiting: VecDeque<Waiting>,
    in_flight: Option<(Waiting, f64)>,
    next_seq: u32,
    opened_at: f64,
    accepted_at: f64,
    /// When a beat was last sent that never got its answer: the server may have accepted it then.
    unsure_at: f64,
    not_before: f64,
    /// When the next beat would leave if beats were spread evenly (the server's own measure of a flood).
    even_at: f64,
    failures: u32,
    /// Whether the last try got no answer.
    is_away: bool,
    /// 0 to 1, fixed per page: spreads the tries of many viewers after an outage.
    jitter: f64,
    is_over: bool,
}

impl Outbox {
    /// For a room opened at `opened_at`.
    #[must_use]
    pub fn new(opened_at: f64, jitter: f64) -> Self {
        Self {
            waiting: VecDeque::new(),
            in_flight: None,
            next_seq: 1,
            opened_at,
            accepted_at: opened_at,
            unsure_at: opened_at,
            not_before: opened_at,
            even_at: opened_at,
            failures: 0,
            is_away: false,
            jitter: jitter.clamp(0.0, 1.0),
            is_over: false,
        }
    }

    /// Takes a played range.
    pub fn push(&mut self, played: Played, now: f64) {
        if self.is_over {
            return;
        }
        self.waiting.push_back(Waiting {
            played,
            seq: None,
            unsure: Vec::new(),
            since: self.opened_at,
            is_remainder: false,
        });
        // Joining what merely waits its turn would make it wait longer, for ever.
        if self.failures > 0 || now < self.not_before {
            self.join();
        }
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
    }

    fn join(&mut self) {
        let mut joined: VecDeque<Waiting> = VecDeque::with_capacity(self.waiting.len());
        for next in self.waiting.drain(..) {
            match joined.back_mut() {
                Some(last) if last.played.goes_on_with(&next.played) && next.seq.is_none() => {
                    if last.seq.take().is_some() && last.unsure.len() < MOST_UNSURE {
                        last.unsure.push((last.played.to_ms, self.unsure_at));
                    }
                    last.played.to_ms = next.played.to_ms;
                }
                _ => joined.push_back(next),
            }
        }
        self.waiting = joined;
    }

    /// The beat to send now, if it is time for one. Its answer goes to [`Self::answered`].
    pub fn next(&mut self, now: f64) -> Option<Outgoing> {
        if let Some((_, since)) = self.in_flight
            && now - since >= ANSWER_SECONDS
            && let Some((lost, _)) = self.in_flight.take()
        {
            self.put_back(lost, Answer::Lost, now);
        }
        let front = self.waiting.front()?;
        let is_due = now >= self.not_before && now >= self.spaced_at(AT_ONCE) && now >= self.ready_at(front);
        if self.is_over || self.in_flight.is_some() || !is_due {
            return None;
        }
        let mut waiting = self.waiting.pop_front()?;
        let outgoing = self.number(&mut waiting, now);
        self.in_flight = Some((waiting, now));
        Some(outgoing)
    }

    /// What to hand to the browser when the page may vanish: everything the server would believe, also when it asked
    /// for patience before. The browser gives no answer for it, so it counts as accepted; with the network away
    /// nothing would arrive, and it is kept.
    pub fn take_for_farewell(&mut self, now: f64) -> Vec<Outgoing> {
        let mut taken = Vec::new();
        if self.is_over || self.is_away {
            return taken;
        }
        if self.in_flight.is_some() {
            self.accepted_at = now;
        }
        while let Some(front) = self.waiting.front()
            && self.ready_at(front) <= now
            && self.spaced_at(AT_ONCE_LEAVING) <= now
            && let Some(mut waiting) = self.waiting.pop_front()
        {
            taken.push(self.number(&mut waiting, now));
            self.accepted_at = now;
        }
        taken
    }

    /// Forgets the pause after a failure: the network is back, or the page may vanish.
    pub const fn hurry(&mut self, now: f64) {
        self.not_before = now;
    }

    /// Seconds until it is worth asking [`Self::next`] again; nothing while nothing waits.
    #[must_use]
    pub fn due_in(&self, now: f64) -> Option<f64> {
        if self.is_over {
            return None;
        }
        let at = match (&self.in_flight, self.waiting.front()) {
            (Some((_, since)), _) => since + ANSWER_SECONDS,
            (None, Some(front)) => self.not_before.max(self.spaced_at(AT_ONCE)).max(self.ready_at(front)),
            (None, None) => return None,
        };
        Some((at - now).max(0.0))
    }

    /// Takes the answer to a beat handed out by [`Self::next`]. Late answers to beats given up are passed over.
    pub fn answered(&mut self, seq: u32, answer: Answer, now: f64) {
        match self.in_flight.take() {
            Some((sent, _)) if sent.seq == Some(seq) => self.settle(sent, answer, now),
            other => self.in_flight = other,
        }
    }

    /// Whether the visit is over for the server.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    fn settle(&mut self, mut sent: Waiting, answer: Answer, now: f64) {
        match answer {
            Answer::Accepted => {
                self.accepted_at = now;
                self.failures = 0;
                self.is_away = false;
            }
            Answer::Over => {
                self.is_over = true;
                self.waiting.clear();
            }
            Answer::Rejected => {
                self.failures = 0;
                self.is_away = false;
                // If its start had arrived after all, the rest is still owed.
                if !sent.unsure.is_empty() {
                    (sent.played.from_ms, sent.since) = sent.unsure.remove(0);
                    sent.seq = None;
                    sent.is_remainder = true;
                    self.waiting.push_front(sent);
                } else if sent.is_remainder && self.accepted_at < self.unsure_at {
                    // Its start arrived later than we knew, so the rest came too fast: once more, in its time.
                    self.accepted_at = self.unsure_at;
                    sent.seq = None;
                    self.waiting.push_front(sent);
                }
            }
            Answer::Later(_) | Answer::Crowded(_) | Answer::Lost => self.put_back(sent, answer, now),
        }
    }

    fn put_back(&mut self, mut sent: Waiting, answer: Answer, now: f64) {
        let own = (1u32 << self.failures.min(6)) as f64 * (0.5 + self.jitter);
        self.failures += 1;
        let pause = match answer {
            Answer::Later(Some(seconds)) | Answer::Crowded(Some(seconds)) => seconds.max(own),
            _ => own,
        };
        self.not_before = now + pause.min(LONGEST_PAUSE_SECONDS);
        self.is_away = answer == Answer::Lost;
        if self.is_away {
            self.unsure_at = now;
        } else {
            // The server said it took nothing, so a longer beat may use the place.
            sent.seq = None;
        }
        self.waiting.push_front(sent);
        self.join();
    }

    fn number(&mut self, waiting: &mut Waiting, now: f64) -> Outgoing {
        self.even_at = self.even_at.max(now) + SPACING_SECONDS;
        let seq = *waiting.seq.get_or_insert(self.next_seq);
        self.next_seq = self.next_seq.max(seq + 1);
        Outgoing { seq, played: waiting.played }
    }

    /// When the next beat may leave with this many at once.
    fn spaced_at(&self, at_once: f64) -> f64 {
        self.even_at - SPACING_SECONDS * (at_once - 1.0)
    }

    fn ready_at(&self, waiting: &Waiting) -> f64 {
        let Waiting { played, since, .. } = waiting;
        let owed = played.seconds() - (BEAT_SLACK_SECONDS - MARGIN_SECONDS);
        self.accepted_at.max(*since) + (owed / played.manner.rate()).max(0.0)
    }
}

#[cfg(test)]
mod tests;
