//! What may still be done for an account or a person that asked for something: the rules every writer obeys inside its
//! own transaction.
//!
//! Sources: promises.md decision 8, privacy-design §2.3 and §2.5.

use crate::refusal::{Refusal, RefusalKind};
use crate::rights::{AccountState, SubjectState};
use crate::sequence::Suppression;

/// Mail about somebody's own request is named so, and goes out whatever is asked: without it nobody would be answered.
pub const ABOUT_A_REQUEST: &str = "rights_";
/// Mail that is part of the booking a person made. Everything else to a viewer is the coach's own wish to write, and
/// an objection to it ends it.
pub const ABOUT_THE_BOOKING: [&str; 6] =
    ["registration_confirmed", "registration_link", SESSION_MOVED, SESSION_CALLED_OFF, WAITING_LIST, NEW_DATES];
/// Mail: somebody asked to be told of new dates.
pub const WAITING_LIST: &str = "waiting_list";
/// Mail: there are dates for somebody who waits for some.
pub const NEW_DATES: &str = "new_dates";
/// Mail: the coach moved the session somebody booked.
pub const SESSION_MOVED: &str = "session_moved";
/// Mail: the coach called the session off that somebody booked.
pub const SESSION_CALLED_OFF: &str = "session_called_off";

impl AccountState {
    /// Whether strangers see its pages, register, watch and are counted.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether the coach can change what is in it. Reading and exporting are always hers.
    #[must_use]
    pub const fn may_be_changed(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether a browser can still be signed in.
    #[must_use]
    pub const fn may_sign_in(self) -> bool {
        !matches!(self, Self::Erasing)
    }

    /// The answer of its public pages when they are not public.
    #[must_use]
    pub fn not_public(self) -> Refusal {
        let message = match self {
            Self::Restricted => {
                "This page is paused, because its owner asked for it. Nothing was lost; please come back another day."
            }
            _ => "This page is no longer offered: its owner is closing the account. Nothing you typed was kept.",
        };
        Refusal::new(RefusalKind::Gone, message)
    }

    /// The answer to a coach who changes something in an account that rests.
    #[must_use]
    pub fn not_changeable(self) -> Refusal {
        let message = match self {
            Self::Restricted => {
                "Your account is restricted, as you asked: everything is kept and nothing is changed. End the \
                 restriction under “My data” first."
            }
            Self::Leaving => {
                "Your account is being deleted, so nothing can be changed any more. You can still call the deletion \
                 off under “My data”."
            }
            _ => "Your account is closed. You can still see and take along everything under “My data”.",
        };
        Refusal::new(RefusalKind::Conflict, message)
    }
}

/// What becomes of a planned mail at the moment it is about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailVerdict {
    /// It goes out.
    Send,
    /// It waits, unrendered; when the wait ends its time has passed, and it is dropped.
    Hold(&'static str),
    /// It never goes out.
    Drop(&'static str),
}

/// A mail to a registrant. `objected`: the person does not want to be written to; `agreed`: the agreement that came
/// with the booking stands; `suppression`: why their address is not written to.
#[must_use]
pub fn mail_to_viewer(
    template: &str,
    account: AccountState,
    person: SubjectState,
    (objected, agreed): (bool, bool),
    suppression: Option<Suppression>,
) -> MailVerdict {
    if matches!(account, AccountState::Erasing) || matches!(person, SubjectState::Erasing) {
        return MailVerdict::Drop("The data is being erased.");
    }
    if template.starts_with(ABOUT_A_REQUEST) {
        return MailVerdict::Send;
    }
    match account {
        AccountState::Closing | AccountState::Erasing => return MailVerdict::Drop("The account was closed."),
        AccountState::Restricted | AccountState::Leaving => return MailVerdict::Hold("The account rests."),
        AccountState::Active => {}
    }
    if person == SubjectState::Restricted {
        return MailVerdict::Hold("The person asked for restriction.");
    }
    match suppression {
        Some(Suppression::Bounced) => return MailVerdict::Drop("The address does not take mail."),
        Some(Suppression::Complained) => return MailVerdict::Drop("The person reported an earlier mail as unwanted."),
        Some(Suppression::Asked) | None => {}
    }
    if !agreed {
        return MailVerdict::Drop("The person took their agreement back.");
    }
    if objected && !ABOUT_THE_BOOKING.contains(&template) {
        return MailVerdict::Drop("The person does not want such mail.");
    }
    MailVerdict::Send
}

/// A mail to a coach about her account.
#[must_use]
pub fn mail_to_coach(template: &str, account: AccountState) -> MailVerdict {
    if account == AccountState::Erasing && !template.starts_with(ABOUT_A_REQUEST) {
        return MailVerdict::Drop("The account is being erased.");
    }
    MailVerdict::Send
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_viewer(template: &str, account: AccountState, person: SubjectState) -> MailVerdict {
        mail_to_viewer(template, account, person, (false, true), None)
    }

    #[test]
    fn nothing_goes_out_during_an_erasure() {
        for template in ["registration_link", "broadcast", "rights_restricted"] {
            for account in AccountState::ALL {
                assert!(matches!(to_viewer(template, *account, SubjectState::Erasing), MailVerdict::Drop(_)));
            }
            for person in SubjectState::ALL {
                assert!(matches!(to_viewer(template, AccountState::Erasing, *person), MailVerdict::Drop(_)));
            }
        }
        assert!(matches!(mail_to_coach("password_changed", AccountState::Erasing), MailVerdict::Drop(_)));
        assert_eq!(mail_to_coach("rights_done", AccountState::Erasing), MailVerdict::Send);
    }

    #[test]
    fn only_mail_about_the_request_reaches_a_restricted_person() {
        assert!(matches!(
            to_viewer("registration_link", AccountState::Active, SubjectState::Restricted),
            MailVerdict::Hold(_)
        ));
        assert_eq!(to_viewer("rights_restricted", AccountState::Active, SubjectState::Restricted), MailVerdict::Send);
    }

    #[test]
    fn an_objection_ends_what_the_coach_wishes_to_write_and_leaves_the_booking() {
        let objecting =
            |template| mail_to_viewer(template, AccountState::Active, SubjectState::Active, (true, true), None);
        assert!(matches!(objecting("broadcast"), MailVerdict::Drop(_)));
        for template in ABOUT_THE_BOOKING {
            assert_eq!(objecting(template), MailVerdict::Send);
            let withdrawn = mail_to_viewer(template, AccountState::Active, SubjectState::Active, (false, false), None);
            assert!(matches!(withdrawn, MailVerdict::Drop(_)), "{template}");
        }
    }

    #[test]
    fn an_address_that_takes_no_mail_gets_none_but_answers_about_a_request() {
        for suppression in [Suppression::Bounced, Suppression::Complained] {
            let to = |template| {
                mail_to_viewer(template, AccountState::Active, SubjectState::Active, (false, true), Some(suppression))
            };
            assert!(ABOUT_THE_BOOKING.iter().all(|template| matches!(to(template), MailVerdict::Drop(_))));
            assert_eq!(to("rights_done"), MailVerdict::Send);
        }
    }

    #[test]
    fn only_an_active_account_is_public_and_changes() {
        for state in AccountState::ALL {
            let is_active = *state == AccountState::Active;
            assert_eq!((state.is_public(), state.may_be_changed()), (is_active, is_active), "{state:?}");
            assert_eq!(state.not_public().status(), 410);
            assert_eq!(state.not_changeable().status(), 409);
        }
    }
}
