//! How a coach leaves: three exits, one way back, and a time in which a stolen session cannot take any of them.
//!
//! Sources: promises.md ("EU Data Act"), privacy-design §2.3, §4 (X18).

use crate::closed_list;
use crate::moment::Moment;
use crate::refusal::{Refusal, RefusalKind};
use crate::rights::{AccountState, CLOSING_DAYS, UNDO_DAYS};

/// Hours after a change of password or address in which no account can be closed: whoever took an account over changes
/// these first, and its owner has the mail about it by then.
pub const COOLING_HOURS: i64 = 72;

closed_list! {
    /// A way out.
    Exit {
        /// Erased after a fortnight in which it can be called off.
        Later = "later",
        /// Closed and readable for a month, so that everything can be taken along; then erased.
        TakeAlong = "take_along",
        /// Erased at once.
        Now = "now",
    }
}

impl Exit {
    /// Where the account goes at once.
    #[must_use]
    pub const fn leads_to(self) -> AccountState {
        match self {
            Self::Later => AccountState::Leaving,
            Self::TakeAlong => AccountState::Closing,
            Self::Now => AccountState::Erasing,
        }
    }

    /// From where it can be taken: who waits for the end can still ask for it at once.
    #[must_use]
    pub const fn can_be_taken_from(self, state: AccountState) -> bool {
        match state {
            AccountState::Active | AccountState::Restricted => true,
            AccountState::Leaving | AccountState::Closing => matches!(self, Self::Now),
            AccountState::Erasing => false,
        }
    }

    /// When the erasure begins.
    #[must_use]
    pub const fn begins_at(self, now: Moment) -> Moment {
        match self {
            Self::Later => now.plus_days(UNDO_DAYS),
            Self::TakeAlong => now.plus_days(CLOSING_DAYS),
            Self::Now => now,
        }
    }
}

/// Until when no exit can be taken.
#[must_use]
pub fn cools_until(credentials_changed_at: Option<Moment>, now: Moment) -> Option<Moment> {
    credentials_changed_at.map(|changed| changed.plus_seconds(COOLING_HOURS * 3600)).filter(|until| *until > now)
}

/// Checks that the account has not just changed hands.
///
/// # Errors
/// Refuses while it cools off, with the end of it.
pub fn check_cooled(credentials_changed_at: Option<Moment>, now: Moment) -> Result<(), Refusal> {
    match cools_until(credentials_changed_at, now) {
        None => Ok(()),
        Some(until) => Err(Refusal::new(
            RefusalKind::Conflict,
            format!(
                "Your password or address was changed within the last three days. So that nobody who got into your \
                 account can take it away from you, this is possible from {} on. Nothing was changed.",
                until.utc_text()
            ),
        )),
    }
}

/// Checks the name typed to confirm: the account's own, whatever its capitals.
///
/// # Errors
/// Refuses any other.
pub fn check_typed_name(typed: &str, name: &str) -> Result<(), Refusal> {
    if typed.trim().to_lowercase() == name.trim().to_lowercase() {
        Ok(())
    } else {
        Err(Refusal::field("name", format!("Please type “{name}”, so that this does not happen by accident.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

    #[test]
    fn a_changed_password_keeps_every_exit_shut_for_three_days() {
        assert!(check_cooled(None, NOW).is_ok());
        assert!(check_cooled(Some(NOW.plus_days(-3)), NOW).is_ok());
        assert!(check_cooled(Some(NOW.plus_days(-3).plus_seconds(1)), NOW).is_err());
    }

    #[test]
    fn nobody_comes_back_from_an_erasure_and_the_name_is_ones_own() {
        for exit in Exit::ALL.iter().copied() {
            assert_eq!(Exit::from_stored(exit.as_str()), Some(exit));
            assert!(!exit.can_be_taken_from(AccountState::Erasing));
            assert!(exit.can_be_taken_from(AccountState::Restricted));
            assert_eq!(exit.can_be_taken_from(AccountState::Leaving), exit == Exit::Now);
        }
        assert!(check_typed_name(" maya LINDQVIST ", "Maya Lindqvist").is_ok());
        assert_eq!(check_typed_name("Maya", "Maya Lindqvist").err().and_then(|no| no.field).as_deref(), Some("name"));
    }
}
