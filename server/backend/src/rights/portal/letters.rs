//! Mails of the portal: a proof for a person, and the word to a coach that one of her viewers used a right.

use domain::my_data::{CODE_TRIES, Errand, PROOF_MINUTES};
use domain::rights::authority;
use mail::{Button, Letter};

use crate::Backend;
use crate::mails::HOUSE_ACCENT;
use crate::rights::messages::COMPLAINT_PAGE;

impl Backend {
    /// Where else to turn to: on every answer about rights (promise P34).
    fn remedies(&self) -> String {
        let leads = authority("FR");
        format!(
            "Not content with us? Write to {}, use our complaint form ({}), or complain to the {} ({}).",
            self.config().contact_email,
            self.config().absolute(COMPLAINT_PAGE),
            leads.name,
            leads.url
        )
    }

    /// Eight digits in two groups: easier to read and to type.
    fn spaced(code: &str) -> String {
        let (first, second) = code.split_at(code.len() / 2);
        format!("{first} {second}")
    }

    /// The mail that opens the portal.
    pub(super) fn proof_letter(&self, errand: Errand, link: String, code: &str) -> Letter {
        let opening = match errand.asked() {
            None => "somebody, probably you, wants to see what coaches hold about this address.".to_owned(),
            Some(asked) => format!(
                "somebody who says they act for you asks {asked}. We do nothing until you say so yourself: open your \
                 data with the button below and decide. They are told nothing."
            ),
        };
        Letter {
            subject: "Your data: open it with this mail".to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: vec!["Hello,".to_owned(), opening],
            button: Some(Button { label: "See your data".to_owned(), url: link }),
            after: vec![
                format!("Or type this code on the page you came from: {}", Self::spaced(code)),
                format!(
                    "Both work once, for {PROOF_MINUTES} minutes, and a newer mail ends them. The code can be typed wrong \
                     {CODE_TRIES} times."
                ),
                "If it was not you, there is nothing to do: nobody sees anything without this mail.".to_owned(),
                self.remedies(),
            ],
            footer: vec![format!("Sent by My Mini Webinar, {}", self.config().absolute("/"))],
        }
    }

    /// The mail that proves a new address.
    pub(super) fn new_address_letter(&self, code: &str) -> Letter {
        Letter {
            subject: "Your code for a new address".to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: vec![
                "Hello,".to_owned(),
                "somebody, probably you, wants a coach to write to this address from now on. Type this code on the page \
                 you came from:"
                    .to_owned(),
                Self::spaced(code),
            ],
            button: None,
            after: vec![
                format!("It works once, for {PROOF_MINUTES} minutes. If it was not you, there is nothing to do."),
                self.remedies(),
            ],
            footer: vec![format!("Sent by My Mini Webinar, {}", self.config().absolute("/"))],
        }
    }
}
