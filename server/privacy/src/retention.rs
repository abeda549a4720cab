//! How long is long enough: which rows have to go by now, and which requests want a hand (privacy-design §2.3).
//!
//! Pure: the data map says how long a class is kept, a coach how long her viewers' data is, the clock what time it is.
//! The periodic job carries the plan out. Nothing here ever names what an active coach made: that stays until she says
//! otherwise (promise P44).

use domain::Moment;
use domain::ids::{CoachId, WebinarId};
use domain::rights::{ALARM_DAYS, ERASURE_DAYS, RequestState, RightKind, SubjectKind};

use crate::DataMap;

/// A coach's own rule for the viewers of one webinar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebinarRule {
    /// Whose webinar.
    pub coach: CoachId,
    /// Which.
    pub webinar: WebinarId,
    /// Days viewers' data is kept after their link ran out.
    pub days: i64,
}

/// Rows that can be over, by the moment that counts for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Bookings of a webinar whose coach set a rule, by the end of their link.
    Viewers(CoachId, WebinarId),
    /// Records of requests, by their end.
    Requests,
    /// The beginning of the audit chain, by when it was written.
    AuditEntries,
    /// Disclosures to authorities, by when they were asked for.
    Disclosures,
    /// Tombstones, by the erasure.
    Tombstones,
    /// Archives, by the end of their seven days.
    Exports,
    /// Proofs and sessions of the viewers' portal, by their expiry.
    Proofs,
    /// Legal holds, by the end they were given.
    Holds,
    /// Counts of deliveries that failed, by the first of them.
    Strikes,
}

/// Days within which a third failed delivery can come, and for which it then counts.
const STRIKES_DAYS: i64 = 60;

/// Rows of a kind that go when the moment that counts for them is before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Which rows.
    pub what: What,
    /// Before when.
    pub before: Moment,
}

/// What has to go by now.
#[must_use]
pub fn plan(map: &DataMap, rules: &[WebinarRule], now: Moment) -> Vec<Removal> {
    let days_of = |retention: &str| map.retentions.get(retention).map(|kept| i64::from(kept.days));
    let by_the_map = [
        (What::Requests, days_of("rights_record")),
        (What::AuditEntries, days_of("rights_record")),
        (What::Disclosures, days_of("rights_record")),
        (What::Tombstones, days_of("tombstone")),
        (What::Proofs, days_of("proof")),
        // Their rows carry the last day themselves.
        (What::Exports, Some(0)),
        (What::Holds, Some(0)),
        (What::Strikes, Some(STRIKES_DAYS)),
    ];
    let own = rules.iter().map(|rule| (What::Viewers(rule.coach, rule.webinar), Some(rule.days)));
    by_the_map
        .into_iter()
        .chain(own)
        // A class the map forgot is kept and not guessed; the map's own tests keep that from happening.
        .filter_map(|(what, days)| Some(Removal { what, before: now.plus_days(-days?) }))
        .collect()
}

/// A request that is not over, as the watchdog sees it.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Where it is.
    pub state: RequestState,
    /// Which right.
    pub kind: RightKind,
    /// Whose data.
    pub whose: SubjectKind,
    /// When it came in; for a deletion, when it was confirmed.
    pub received_at: Moment,
    /// Until when it can be called off.
    pub undo_until: Option<Moment>,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Nothing.
    Leave,
    /// Its next step.
    Run,
    /// To be taken up again after a failure.
    Resume,
    /// To be ended: nobody proved anything in time.
    Expire,
}

/// Hours in which somebody can prove who they are, generously.
const PROOF_HOURS: i64 = 24;
/// A request that moved within this time has a job of its own under way.
const PATIENCE_SECONDS: i64 = 3_600;

/// What a request wants at this moment.
#[must_use]
pub fn care(request: &Waiting, now: Moment) -> Care {
    match request.state {
        RequestState::Failed => Care::Resume,
        RequestState::Received | RequestState::AwaitingProof
            if request.received_at.plus_seconds(PROOF_HOURS * 3_600) <= now =>
        {
            Care::Expire
        }
        RequestState::Undo if undo_ends(request).plus_seconds(PATIENCE_SECONDS) <= now => Care::Run,
        RequestState::Verified
        | RequestState::Running
        | RequestState::ExternalPending
        | RequestState::Verifying
        | RequestState::Held
            if request.received_at.plus_seconds(PATIENCE_SECONDS) <= now =>
        {
            Care::Run
        }
        _ => Care::Leave,
    }
}

/// Days before the promise's last one at which no deletion can be called off any more: its steps may fail and be
/// repeated in them.
const MARGIN_DAYS: i64 = 3;

/// When it can no longer be called off. A deletion that could be for longer than the promise allows would break it.
#[must_use]
pub fn undo_ends(request: &Waiting) -> Moment {
    let last = request.received_at.plus_days(ERASURE_DAYS - MARGIN_DAYS);
    request.undo_until.map_or(request.received_at, |until| until.min(last))
}

/// Whether an erasure is so late that somebody has to look: from its 25th day.
#[must_use]
pub fn is_alarming(request: &Waiting, now: Moment) -> bool {
    matches!(request.kind, RightKind::Erase | RightKind::Minor)
        && !request.state.is_over()
        && request.received_at.plus_days(ALARM_DAYS) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

    fn request(state: RequestState) -> Waiting {
        Waiting {
            state,
            kind: RightKind::Erase,
            whose: SubjectKind::Coach,
            received_at: NOW,
            undo_until: Some(NOW.plus_days(14)),
        }
    }

    #[test]
    fn the_plan_says_how_long_the_map_says() {
        let rule = WebinarRule { coach: CoachId::new(), webinar: WebinarId::new(), days: 365 };
        let plan = plan(DataMap::current(), &[rule], NOW);
        let before = |what| plan.iter().find(|removal| removal.what == what).expect("planned").before;
        assert_eq!(before(What::Requests), NOW.plus_days(-730));
        assert_eq!(before(What::AuditEntries), NOW.plus_days(-730));
        assert_eq!(before(What::Tombstones), NOW.plus_days(-130));
        assert_eq!(before(What::Exports), NOW);
        assert_eq!(before(What::Viewers(rule.coach, rule.webinar)), NOW.plus_days(-365));
        assert_eq!(before(What::Strikes), NOW.plus_days(-60));
        assert_eq!(plan.len(), 9);
    }

    #[test]
    fn without_a_rule_no_viewer_goes() {
        let plan = plan(DataMap::current(), &[], NOW);
        assert!(plan.iter().all(|removal| !matches!(removal.what, What::Viewers(..))));
    }

    #[test]
    fn what_failed_is_taken_up_and_what_can_be_called_off_is_left() {
        assert_eq!(care(&request(RequestState::Failed), NOW), Care::Resume);
        assert_eq!(care(&request(RequestState::Undo), NOW.plus_days(14)), Care::Leave);
        assert_eq!(care(&request(RequestState::Undo), NOW.plus_days(15)), Care::Run);
        assert_eq!(care(&request(RequestState::AwaitingProof), NOW.plus_seconds(3_600)), Care::Leave);
        assert_eq!(care(&request(RequestState::AwaitingProof), NOW.plus_days(1)), Care::Expire);
        for state in RequestState::ALL.iter().filter(|state| state.is_over()) {
            assert_eq!(care(&request(*state), NOW.plus_days(400)), Care::Leave, "{state:?}");
        }
    }

    #[test]
    fn no_undo_outlasts_the_promise() {
        let endless = Waiting { undo_until: Some(NOW.plus_days(400)), ..request(RequestState::Undo) };
        assert_eq!(care(&endless, NOW.plus_days(27)), Care::Leave);
        assert_eq!(care(&endless, NOW.plus_days(27).plus_seconds(3_600)), Care::Run);
        assert!(!is_alarming(&endless, NOW.plus_days(24)));
        assert!(is_alarming(&endless, NOW.plus_days(25)));
    }
}
