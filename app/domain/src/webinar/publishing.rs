//! The publish check: what stands between a webinar and its public page, and what would make it better.

use serde::{Deserialize, Serialize};

use super::{CheckedWebinar, SessionKind};
use crate::wording::{Truth, untrue_claims};

/// One finding of the publish check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Blocks publishing; otherwise it is advice.
    pub blocks: bool,
    /// What it is about: `video`, `title`, `captions`, … also the anchor in the editor.
    pub about: String,
    /// What is missing and what to do.
    pub message: String,
}

/// What the publish check looks at.
#[derive(Clone, Debug)]
pub struct PublishFacts<'a> {
    /// The stored settings.
    pub webinar: &'a CheckedWebinar,
    /// Whether a playable recording is there.
    pub has_video: bool,
    /// Number of caption tracks.
    pub caption_tracks: usize,
    /// Whether the coach confirmed her own address.
    pub email_confirmed: bool,
    /// Whether anybody could come: the next session of the rules, or the recording at once.
    pub has_a_time: bool,
    /// Sessions of the next year that a change of the clocks moves.
    pub shifted_sessions: usize,
}

/// What still stands between a webinar and its public page, and what would make it better (product.md §2.22).
#[must_use]
pub fn publish_check(facts: &PublishFacts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |blocks, about: &str, message: &str| {
        findings.push(Finding { blocks, about: about.to_owned(), message: message.to_owned() });
    };
    if !facts.has_video {
        find(true, "video", "There is no recording yet. Upload one, and the page can open.");
    }
    if facts.webinar.presenter.is_empty() {
        find(true, "presenter", "Say who is speaking: it is the sender name of the mails and stands under the title.");
    }
    if !facts.email_confirmed {
        find(true, "account", "Confirm your own e-mail address first: replies to the mails go there.");
    }
    if facts.webinar.session_kind == SessionKind::Scheduled && !facts.has_a_time {
        find(true, "times", "There is no session anybody could book. Add a time, or offer the recording on demand.");
    }
    if facts.webinar.session_kind == SessionKind::Scheduled && facts.shifted_sessions > 0 {
        find(
            false,
            "times",
            "A change of the clocks falls on one of the sessions. Under “Times” you see when it really starts.",
        );
    }
    if facts.has_video && facts.caption_tracks == 0 {
        find(false, "captions", "There are no captions. Many people watch without sound, and some cannot hear it.");
    }
    if facts.webinar.recorded_month.is_empty() {
        find(
            false,
            "recorded_month",
            "Viewers are told when the recording was made. Without a month, the page names the month of the upload.",
        );
    }
    if facts.webinar.description.trim().is_empty() {
        find(false, "description", "The page has no description. Two sentences on what people will learn are enough.");
    }
    findings
}

/// Something a coach wrote that people read.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The part of the page that leads to it, as in [`Finding::about`].
    pub about: &'static str,
    /// Where it stands, for people: `the title`, `the mail “See you soon”`.
    pub place: &'a str,
    /// The words.
    pub text: &'a str,
}

/// Words that claim what the settings do not make true. None blocks: the coach may know better.
#[must_use]
pub fn wording_check(said: &[Said<'_>], truth: &Truth) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Said { about, place, text } in said {
        for claim in untrue_claims(text, truth) {
            let message = format!("In {place} stands “{}”. {}", claim.words, claim.sentence);
            findings.push(Finding { blocks: false, about: (*about).to_owned(), message });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webinar::WebinarForm;
    use crate::webinar::tests::form;

    #[test]
    fn a_recording_that_calls_itself_live_is_flagged_but_not_blocked() {
        let said = [
            Said { about: "title", place: "the title", text: "Join us live on Thursday" },
            Said { about: "description", place: "the description", text: "A lively delivery of olive oil." },
        ];
        let findings = wording_check(&said, &Truth::default());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].message.starts_with("In the title stands “") && !findings[0].blocks);
        assert_eq!(wording_check(&said, &Truth { has_live_chat: true, ..Truth::default() }), []);
    }

    #[test]
    fn without_a_recording_nothing_is_published() {
        let webinar = form().check().expect("valid");
        let facts = PublishFacts {
            webinar: &webinar,
            has_video: false,
            caption_tracks: 0,
            email_confirmed: false,
            has_a_time: false,
            shifted_sessions: 0,
        };
        let blocking: Vec<_> = publish_check(&facts).into_iter().filter(|f| f.blocks).map(|f| f.about).collect();
        assert_eq!(blocking, ["video", "presenter", "account"]);
        let at_set_times = WebinarForm { session_kind: "scheduled".into(), ..form() }.check().expect("valid");
        let blocking = |has_a_time| {
            let findings = publish_check(&PublishFacts { webinar: &at_set_times, has_a_time, ..facts.clone() });
            findings.into_iter().any(|finding| finding.blocks && finding.about == "times")
        };
        assert!(blocking(false) && !blocking(true));
    }
}
