//! The pages as text: what they show, what they never show, and that nothing typed becomes markup.

use domain::ids::{CoachId, RegistrationId, RequestId};
use domain::my_data::{
    AgreementTold, BookingTold, Card, ClassTold, Erased, MyData, ObjectionTold, Preview, RequestTold, RestrictionTold,
};
use domain::rights::{ObjectionScope, RestrictionGround, SubjectState};
use domain::webinar::RegistrationField;
use domain::{Moment, Refusal};

use super::*;

const CSS: &str = "/viewer.css";
const CONTACT: &str = "privacy@webinar.example";
const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

fn card(state: SubjectState) -> Card {
    Card {
        coach: "01890000-0000-7000-8000-000000000001".parse::<CoachId>().expect("an id"),
        coach_name: "Maya <b>Brandt</b>".to_owned(),
        coach_email: "maya@coach.example".to_owned(),
        state,
        since: NOW,
        name: "Anna".to_owned(),
        bookings: vec![BookingTold {
            id: "01890000-0000-7000-8000-000000000002".parse::<RegistrationId>().expect("an id"),
            title: "Calm mornings".to_owned(),
            history: vec!["You opened the room twice.".to_owned()],
            kept: "Kept until then.".to_owned(),
            answers: vec![(RegistrationField::Company, true, "ACME \"& sons\"".to_owned())],
        }],
        classes: vec![ClassTold {
            title: "Name".to_owned(),
            purposes: vec!["To run webinars.".to_owned()],
            bases: vec!["On instruction.".to_owned()],
            kept: vec!["While kept.".to_owned()],
            facts: vec![("Name".to_owned(), "<script>alert(1)</script>".to_owned())],
        }],
        recipients: vec!["Nobody else.".to_owned()],
        agreements: vec![AgreementTold {
            purpose: "run_webinar".to_owned(),
            wording: "I agree.".to_owned(),
            given_at: NOW,
            withdrawn_at: None,
        }],
        restrictions: vec![RestrictionTold { ground: RestrictionGround::Claim, since: NOW, ends_announced: None }],
        objections: vec![ObjectionTold {
            scope: ObjectionScope::Analytics,
            made_at: NOW,
            due_at: NOW.plus_days(30),
            decision: None,
        }],
        is_unsubscribed: false,
        archives: Vec::new(),
        requests: vec![RequestTold {
            id: "01890000-0000-7000-8000-000000000003".parse::<RequestId>().expect("an id"),
            what: "Correct what is wrong",
            state: "confirmed",
            received_at: NOW,
            due_at: NOW.plus_days(30),
        }],
    }
}

fn data(cards: Vec<Card>) -> MyData {
    MyData {
        address: "anna@viewer.example".to_owned(),
        until: NOW,
        cards,
        erased: vec![Erased {
            request: "01890000-0000-7000-8000-000000000004".parse::<RequestId>().expect("an id"),
            coach_name: "Tom".to_owned(),
            state: "done",
            received_at: NOW,
            due_at: NOW.plus_days(30),
            receipt_until: Some(NOW.plus_days(90)),
        }],
        contact: CONTACT.to_owned(),
    }
}

fn names_the_remedies(html: &str) {
    for part in ["https://www.cnil.fr", "/privacy/complain", CONTACT, "name=\"robots\" content=\"noindex\""] {
        assert!(html.contains(part), "{part} is missing: {html}");
    }
    assert!(!html.contains(" style=") && !html.contains("onclick"), "{html}");
}

#[test]
fn every_page_says_where_else_to_turn_to() {
    let refusal = Refusal::field("email", "This does not look like an e-mail address.");
    let shown = card(SubjectState::Active);
    let preview = Preview {
        coach: shown.coach,
        coach_name: "Maya".to_owned(),
        goes: vec![(3, "visits to the room".to_owned())],
        stays: vec!["A mark.".to_owned()],
        has_mark: true,
        backups: (NOW, NOW.plus_days(90)),
    };
    let name = |_, field: RegistrationField| field.as_str().to_owned();
    for html in [
        ask_page(CSS, CONTACT, "", None),
        ask_page(CSS, CONTACT, "anna", Some(&refusal)),
        sent_page(CSS, CONTACT, "anna@viewer.example", None),
        prove_page(CSS, CONTACT, "abc", "", Some(&refusal)),
        my_data_page(CSS, &data(vec![shown.clone()]), Some("restrict"), None),
        my_data_page(CSS, &data(Vec::new()), None, Some("to see everything")),
        erase_page(CSS, CONTACT, &[preview], false),
        erase_page(CSS, CONTACT, &[], true),
        correct_page(CSS, CONTACT, &shown, Correcting::default(), name),
        refusal_page(CSS, CONTACT, "Nothing here", "There is nothing at this address."),
    ] {
        names_the_remedies(&html);
    }
}

#[test]
fn what_people_typed_is_only_text() {
    let html = my_data_page(CSS, &data(vec![card(SubjectState::Active)]), Some("<script>"), None);
    assert!(!html.contains("<script") && !html.contains("<b>Brandt"), "{html}");
    assert!(html.contains("Calm mornings") && html.contains("You opened the room twice."), "{html}");
    let typed = [("name".to_owned(), "\"><script>".to_owned())];
    let told = Correcting { typed: &typed, ..Correcting::default() };
    let html = correct_page(CSS, CONTACT, &card(SubjectState::Active), told, |_, _| "a.company".to_owned());
    assert!(!html.contains("<script"), "{html}");
    assert!(html.contains("ACME &quot;&amp; sons&quot;"), "{html}");
}

#[test]
fn somebody_who_is_being_erased_is_told_so_and_nothing_more() {
    let html = my_data_page(CSS, &data(vec![card(SubjectState::Erasing)]), None, None);
    assert!(html.contains("Being erased") && html.contains("due by"), "{html}");
    assert!(!html.contains("Calm mornings") && !html.contains("/my-data/act"), "{html}");
}

#[test]
fn only_the_page_the_mail_leads_to_has_a_script_and_it_presses_nothing() {
    let html = prove_page(CSS, CONTACT, "abc", "", None);
    assert_eq!(html.matches("<script nonce=\"abc\">").count(), 1, "{html}");
    assert!(!html.contains("submit()") && !html.contains("fetch("), "{html}");
    assert!(!ask_page(CSS, CONTACT, "", None).contains("<script"));
}

#[test]
fn one_press_takes_an_agreement_back() {
    let html = my_data_page(CSS, &data(vec![card(SubjectState::Active)]), None, None);
    let (_, form) = html.split_once("value=\"withdraw\"").expect("the form");
    let (form, _) = form.split_once("</form>").expect("its end");
    let inputs: Vec<_> = form.split("<input").skip(1).collect();
    assert!(inputs.iter().all(|input| input.contains("type=\"hidden\"")), "{form}");
    assert_eq!(form.matches("<button").count(), 1, "{form}");
    let (before, _) = html.split_once("value=\"withdraw\"").expect("the form");
    assert_eq!(before.matches("<details").count(), before.matches("</details>").count(), "it is not folded away");
}
