//! How fast mail goes to one domain.
//!
//! Large mailbox providers say "not so fast" to whoever sends them more than they are used to, and think worse of whoever
//! does not listen. A domain that said so gets nothing for a while, then little, and more with every mail it takes, until
//! it is as free as all the others. Domains that never complain are never slowed.
//!
//! What is known about domains lives in memory and is gone with the process: two servers learn it each for themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::Moment;

use crate::EnhancedStatus;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE_SECONDS: i64 = 30;
/// The longest pause.
const MOST_PAUSE_SECONDS: i64 = 960;
/// A domain that takes as many mails a second as this is not slowed any more.
const FREE_PER_SECOND: i64 = 256;
/// A mail that has to wait for its turn is asked about again after this long at most.
const MOST_WAIT_SECONDS: i64 = 60;
/// Domains remembered; above it those are forgotten whose pause is over.
const MOST_DOMAINS: usize = 10_000;

/// A domain that said "not so fast".
#[derive(Clone, Copy, Debug)]
struct Lane {
    paused_until: Moment,
    pause_seconds: i64,
    per_second: i64,
    /// Mails taken in a row since the speed was last raised.
    taken: i64,
    /// When the next mail may go.
    next_at: Moment,
}

/// How fast mail goes to each domain.
#[derive(Debug, Default)]
pub struct Pacing {
    lanes: Mutex<HashMap<String, Lane>>,
}

/// Whether an answer is about how much we send, and not about this mail or its address: the server closes the connection
/// (421), is overloaded (4.3.2, 4.4.5), or names a rate (4.7.28 at Gmail, 4.7.500 to 4.7.699 at Microsoft). Greylisting
/// (4.7.1) is about one mailbox, and is not.
#[must_use]
pub fn is_too_fast(code: Option<u16>, enhanced: Option<EnhancedStatus>) -> bool {
    let numbers = enhanced.map(|status| (status.class(), status.subject(), status.detail()));
    code == Some(421) || matches!(numbers, Some((4, 3, 2) | (4, 4, 5) | (4, 7, 28 | 500..=699)))
}

/// The domain of an address, as domains are compared.
fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain).to_ascii_lowercase()
}

impl Pacing {
    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks whether a mail to this address may go now.
    ///
    /// # Errors
    /// The moment to ask again.
    pub fn ask(&self, address: &str, now: Moment) -> Result<(), Moment> {
        let mut lanes = self.lanes();
        if lanes.is_empty() {
            return Ok(());
        }
        let Some(lane) = lanes.get_mut(&domain_of(address)) else { return Ok(()) };
        if lane.paused_until > now {
            return Err(lane.paused_until);
        }
        let turn = lane.next_at.max(now);
        if turn.seconds_since(now) >= 1.0 {
            return Err(turn.min(now.plus_seconds(MOST_WAIT_SECONDS)));
        }
        lane.next_at = Moment(turn.0 + 1_000_000 / lane.per_second);
        Ok(())
    }

    /// Notes that a mail to this address was taken.
    pub fn taken(&self, address: &str) {
        let mut lanes = self.lanes();
        if lanes.is_empty() {
            return;
        }
        let domain = domain_of(address);
        let Some(lane) = lanes.get_mut(&domain) else { return };
        lane.taken += 1;
        if lane.taken >= 2 * lane.per_second {
            lane.per_second *= 2;
            lane.taken = 0;
        }
        if lane.per_second >= FREE_PER_SECOND {
            lanes.remove(&domain);
        }
    }

    /// Notes that this domain is sent too much; tells until when it gets nothing.
    pub fn slow_down(&self, address: &str, now: Moment) -> Moment {
        let mut lanes = self.lanes();
        if lanes.len() >= MOST_DOMAINS {
            lanes.retain(|_, lane| lane.paused_until > now);
        }
        let lane = lanes.entry(domain_of(address)).or_insert(Lane {
            paused_until: now,
            pause_seconds: FIRST_PAUSE_SECONDS / 2,
            per_second: 1,
            taken: 0,
            next_at: now,
        });
        // Several mails that were under way together are one complaint.
        if lane.paused_until <= now {
            lane.pause_seconds = (lane.pause_seconds * 2).min(MOST_PAUSE_SECONDS);
            lane.paused_until = now.plus_seconds(lane.pause_seconds);
            lane.next_at = lane.paused_until;
            lane.per_second = 1;
            lane.taken = 0;
        }
        lane.paused_until
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOM: &str = "tom@Big.example";
    const ANNA: &str = "anna@big.example";

    fn at(seconds: i64) -> Moment {
        Moment::from_unix_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn who_never_complains_is_never_slowed() {
        let pacing = Pacing::default();
        for _ in 0..50_000 {
            assert_eq!(pacing.ask(TOM, at(0)), Ok(()));
            pacing.taken(TOM);
        }
        assert!(pacing.lanes().is_empty());
    }

    #[test]
    fn a_domain_that_complains_pauses_and_the_others_do_not() {
        let pacing = Pacing::default();
        assert_eq!(pacing.slow_down(TOM, at(0)), at(30));
        assert_eq!(pacing.slow_down(ANNA, at(1)), at(30), "one complaint");
        assert_eq!(pacing.ask(ANNA, at(29)), Err(at(30)));
        assert_eq!(pacing.ask("tom@small.example", at(1)), Ok(()));
        assert_eq!(pacing.ask(TOM, at(30)), Ok(()));
        assert_eq!(pacing.ask(ANNA, at(30)), Err(at(31)), "one a second at first");
        assert_eq!(pacing.slow_down(TOM, at(31)), at(91), "twice as long");
    }

    #[test]
    fn with_every_mail_taken_it_goes_faster_until_it_is_free() {
        let pacing = Pacing::default();
        pacing.slow_down(TOM, at(0));
        let mut per_second = Vec::new();
        for second in 30..60 {
            let went = (0..1_000).filter(|_| pacing.ask(TOM, at(second)).is_ok()).count();
            (0..went).for_each(|_| pacing.taken(TOM));
            per_second.push(went);
        }
        // A turn may fall on either side of a second.
        assert!(per_second.windows(2).all(|pair| pair[0] <= pair[1] + 1), "{per_second:?}");
        assert_eq!((per_second[0], per_second[29]), (1, 1_000), "{per_second:?}");
    }

    #[test]
    fn what_is_about_one_mailbox_slows_nobody() {
        let status = |text: &str| Some(text.parse().expect("a status"));
        assert!(!is_too_fast(Some(450), status("4.7.1")) && !is_too_fast(Some(450), status("4.2.1")));
        assert!(!is_too_fast(Some(550), status("5.7.1")) && !is_too_fast(None, None));
        assert!(is_too_fast(Some(421), None) && is_too_fast(Some(450), status("4.7.28")));
        assert!(is_too_fast(Some(451), status("4.7.500")) && is_too_fast(Some(452), status("4.3.2")));
    }

    proptest! {
        #[test]
        fn nothing_goes_in_a_pause_and_nobody_waits_for_ever(steps in prop::collection::vec((0_i64..90, 0_u8..4), 1..200)) {
            let pacing = Pacing::default();
            let (mut now, mut paused) = (0, at(0));
            for (wait, what) in steps {
                now += wait;
                match what {
                    0 => paused = pacing.slow_down(TOM, at(now)),
                    1 => pacing.taken(TOM),
                    _ => match pacing.ask(TOM, at(now)) {
                        Ok(()) => prop_assert!(paused <= at(now)),
                        Err(again) => prop_assert!(again > at(now) && again <= paused.max(at(now + MOST_WAIT_SECONDS))),
                    },
                }
            }
        }
    }
}
