//! Grounds to keep what should go: a closed list, each with an end that nobody can move (privacy-design §2.4).

use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::rights::HoldGround;

/// What a coach can keep of a viewer: nothing else of the data map proves anything in a dispute.
pub const HOLDABLE_CLASSES: [&str; 4] = ["consent", "booking", "watching", "message"];

impl HoldGround {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Invoice10yFr => "invoices, which French law keeps for ten years",
            Self::TaxVat => "records of value added tax",
            Self::DisputeOpen => "a dispute is open",
            Self::LegalClaim => "a legal claim is made or defended",
            Self::AuthorityOrder => "an authority ordered it",
            Self::AbuseEvidence => "evidence of abuse",
            Self::Suppression => "the wish not to be written to",
        }
    }

    /// The longest it can last, in days; nothing where it lasts as long as the account.
    ///
    /// Ten years: L123-22 Code de commerce. Five years: the general limitation of Art. 2224 Code civil. Twelve months of
    /// evidence: privacy-design §2.4. A dispute or an order that lasts longer is entered again, and looked at again.
    #[must_use]
    pub const fn longest_days(self) -> Option<i64> {
        match self {
            Self::Invoice10yFr | Self::TaxVat => Some(3_653),
            Self::LegalClaim => Some(1_826),
            Self::DisputeOpen | Self::AuthorityOrder | Self::AbuseEvidence => Some(365),
            Self::Suppression => None,
        }
    }

    /// Whether a coach can name it about one of her viewers. Invoices are about her, and a mark not to write to
    /// somebody is the person's own doing.
    #[must_use]
    pub const fn is_for_viewers(self) -> bool {
        matches!(self, Self::DisputeOpen | Self::LegalClaim | Self::AuthorityOrder | Self::AbuseEvidence)
    }
}

/// Checks what a coach wants to keep of a viewer.
///
/// # Errors
/// Refuses a ground that is not for viewers, classes that are not among [`HOLDABLE_CLASSES`], and an end that is not
/// ahead or lies beyond the ground's longest.
pub fn check_hold(ground: HoldGround, classes: &[String], until: Moment, now: Moment) -> Result<(), Refusal> {
    let longest = match ground.longest_days() {
        Some(days) if ground.is_for_viewers() => days,
        _ => return Err(Refusal::field("ground", "This is no reason to keep a viewer's data. Please choose another.")),
    };
    if classes.is_empty() || classes.iter().any(|class| !HOLDABLE_CLASSES.contains(&class.as_str())) {
        return Err(Refusal::field("classes", "Please choose what exactly has to stay, and only that."));
    }
    if until <= now {
        return Err(Refusal::field("until", "Please choose a day that is still ahead."));
    }
    if until > now.plus_days(longest) {
        let message =
            format!("For this reason data can be kept for {longest} days at most. Please choose an earlier day.");
        return Err(Refusal::field("until", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

    fn refused(ground: HoldGround, classes: &[&str], days: i64) -> Option<String> {
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        check_hold(ground, &classes, NOW.plus_days(days), NOW).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn only_grounds_of_the_list_hold_and_none_for_ever() {
        for ground in HoldGround::ALL {
            let wanted = (!ground.is_for_viewers()).then(|| "ground".to_owned());
            assert_eq!(refused(*ground, &["booking"], 30), wanted, "{ground:?}");
            if let Some(longest) = ground.longest_days().filter(|_| ground.is_for_viewers()) {
                assert_eq!(refused(*ground, &["booking"], longest), None);
                assert_eq!(refused(*ground, &["booking"], longest + 1).as_deref(), Some("until"));
            }
        }
        assert_eq!(HoldGround::AbuseEvidence.longest_days(), Some(365));
    }

    #[test]
    fn what_is_kept_is_named_and_ends() {
        assert_eq!(refused(HoldGround::LegalClaim, &[], 30).as_deref(), Some("classes"));
        assert_eq!(refused(HoldGround::LegalClaim, &["booking", "name"], 30).as_deref(), Some("classes"));
        assert_eq!(refused(HoldGround::LegalClaim, &["booking"], 0).as_deref(), Some("until"));
    }
}
