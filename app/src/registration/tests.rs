//! What the rendered pages say and keep.

use super::*;
use domain::webinar::{RegistrationField, SessionKind};

const HOSTILE: &str = "\"><script>alert(1)</script>";
const HOSTILE_ESCAPED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;";

fn invitation() -> Invitation {
    Invitation {
        slug: "calm".to_owned(),
        title: "Calm mornings".to_owned(),
        description_html: "<p>What you will learn.</p>".to_owned(),
        presenter: "Maya Moreau".to_owned(),
        accent: "#225588".to_owned(),
        logo_url: None,
        poster_url: Some("/media/poster.jpg".to_owned()),
        session_kind: SessionKind::OnDemand,
        link_days: 7,
        duration_seconds: 180.0,
        recorded: "October 2026".to_owned(),
        has_captions: true,
        fields: vec![(RegistrationField::FirstName, true), (RegistrationField::Phone, false)],
        ask_age: false,
        consent_text: "I agree.".to_owned(),
        offers_text: None,
        embed_hosts: Vec::new(),
        form_stamp: "stamp-of-now".to_owned(),
        times: None,
    }
}

fn around(embed: bool) -> Around<'static> {
    static ASSETS: ViewerAssets =
        ViewerAssets { css: String::new(), viewer_js: String::new(), viewer_wasm: String::new() };
    Around { embed, has_signal: false, nonce: "n0nce", assets: &ASSETS }
}

fn typed() -> RegistrationForm {
    RegistrationForm {
        email: "tom at example".to_owned(),
        first_name: "Tom".to_owned(),
        consent: Some("yes".to_owned()),
        source: "newsletter".to_owned(),
        ..RegistrationForm::default()
    }
}

fn page(invitation: &Invitation, form: &RegistrationForm, refusal: Option<&Refusal>, embed: bool) -> String {
    registration_page(invitation, form, refusal, around(embed))
}

#[test]
fn a_browser_that_says_do_not_sell_reads_that_it_is_heard() {
    let at = |has_signal| {
        let around = Around { has_signal, ..around(false) };
        registration_page(&invitation(), &RegistrationForm::default(), None, around)
    };
    assert!(at(true).contains("id=\"gpc-honoured\"") && !at(false).contains("gpc-honoured"));
}

/// The tag around `marker`.
fn tag_with<'a>(html: &'a str, marker: &str) -> &'a str {
    let at = html.find(marker).unwrap_or_else(|| panic!("{marker} is missing in {html}"));
    let start = html[..=at].rfind('<').expect("inside a tag");
    let end = at + html[at..].find('>').expect("a closed tag");
    &html[start..=end]
}

#[test]
fn a_fresh_page_asks_what_was_chosen_and_ticks_nothing() {
    let html = page(&invitation(), &RegistrationForm::default(), None, false);
    let form = tag_with(&html, "class=\"registration-form\"");
    assert!(
        form.contains("method=\"post\"") && form.contains("action=\"/w/calm\"") && form.contains("novalidate"),
        "{form}"
    );
    for name in ["email", "first_name", "phone", "consent", "website", "form_stamp", "source"] {
        assert!(html.contains(&format!("name=\"{name}\"")), "{name}");
    }
    assert!(!html.contains("name=\"company\"") && !html.contains("name=\"embed\""));
    assert!(!tag_with(&html, "name=\"consent\"").contains("checked"));
    assert!(tag_with(&html, "name=\"form_stamp\"").contains("stamp-of-now"));
    assert!(!html.contains("aria-invalid") && !html.contains("role=\"alert\"") && !html.contains("autofocus"));
    assert!(html.contains("This is a recording, 3 minutes, recorded October 2026."));
    assert!(!html.contains("style=\""), "the policy forbids style attributes");
}

#[test]
fn the_first_form_is_the_one_that_registers() {
    let html = page(&invitation(), &RegistrationForm::default(), None, false);
    let forms: Vec<_> = html.match_indices("<form").map(|(at, _)| tag_with(&html[at..], "<form")).collect();
    assert!(forms[0].contains("/w/calm\"") && forms[1].contains("/w/calm/link\""), "{forms:?}");
    let first_email = html.find("name=\"email\"").expect("asked");
    assert!(html.find("id=\"register-email\"").expect("there") < html.find("id=\"link-email\"").expect("there"));
    assert!(first_email < html.find("<details").expect("folded away"));
}

#[test]
fn a_refused_field_is_named_and_nothing_typed_is_lost() {
    let refusal = Refusal::field("email", "That is no address.");
    let html = page(&invitation(), &typed(), Some(&refusal), false);
    let email = tag_with(&html, "id=\"register-email\"");
    for part in
        ["aria-invalid=\"true\"", "aria-describedby=\"register-email-error\"", "value=\"tom at example\"", "autofocus"]
    {
        assert!(email.contains(part), "{part} in {email}");
    }
    assert!(tag_with(&html, "id=\"register-email-error\"").contains("role=\"alert\""));
    assert!(tag_with(&html, "name=\"first_name\"").contains("value=\"Tom\""));
    assert!(tag_with(&html, "name=\"consent\"").contains("checked"));
    assert!(tag_with(&html, "name=\"source\"").contains("newsletter"));
    assert_eq!(html.matches("aria-invalid").count(), 1);
    assert_eq!(html.matches("That is no address.").count(), 1);
}

#[test]
fn a_refusal_without_a_visible_field_stands_above_the_form() {
    for refusal in
        [Refusal::too_often(60), Refusal::field("form_stamp", "Too fast."), Refusal::field("company", "Odd.")]
    {
        let html = page(&invitation(), &typed(), Some(&refusal), false);
        let alert = html.find("role=\"alert\"").expect("said");
        assert!(alert < html.find("id=\"register-email\"").expect("there") && html.contains(&refusal.message));
        assert!(!html.contains("aria-invalid"));
    }
}

#[test]
fn people_never_meet_the_trap() {
    let html = page(&invitation(), &typed(), None, false);
    assert!(tag_with(&html, "class=\"not-for-people\"").contains("aria-hidden=\"true\""));
    let trap = tag_with(&html, "name=\"website\"");
    assert!(trap.contains("tabindex=\"-1\"") && trap.contains("autocomplete=\"off\""), "{trap}");
}

#[test]
fn hostile_text_stays_text() {
    let invitation = Invitation {
        title: HOSTILE.to_owned(),
        presenter: HOSTILE.to_owned(),
        consent_text: HOSTILE.to_owned(),
        form_stamp: HOSTILE.to_owned(),
        recorded: HOSTILE.to_owned(),
        accent: HOSTILE.to_owned(),
        ..invitation()
    };
    let form = RegistrationForm {
        email: HOSTILE.to_owned(),
        first_name: HOSTILE.to_owned(),
        source: HOSTILE.to_owned(),
        website: HOSTILE.to_owned(),
        ..typed()
    };
    let refusal = Refusal::field("first_name", HOSTILE);
    for embed in [false, true] {
        let html = page(&invitation, &form, Some(&refusal), embed);
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains(HOSTILE_ESCAPED));
    }
}

#[test]
fn the_frame_posts_to_the_frame_and_never_grabs_the_focus() {
    let refusal = Refusal::field("email", "That is no address.");
    let html = page(&invitation(), &typed(), Some(&refusal), true);
    assert!(tag_with(&html, "class=\"registration-form\"").contains("action=\"/w/calm/embed\""));
    assert!(tag_with(&html, "name=\"embed\"").contains("value=\"true\""));
    assert!(!html.contains("autofocus"));
    assert!(html.contains("miniWebinar:\"calm\""));
}

#[test]
fn a_refused_link_request_shows_its_form_open_with_what_was_typed() {
    let refusal = Refusal::field("email", "That is no address.");
    let html = link_sent_page(&invitation(), "tom at example", Some(&refusal), around(false));
    assert!(tag_with(&html, "<details").contains(" open"));
    let email = tag_with(&html, "name=\"email\"");
    assert!(email.contains("value=\"tom at example\"") && email.contains("aria-invalid=\"true\""), "{email}");
}

#[test]
fn the_way_in_is_shown_for_new_registrations_only() {
    let shown = |was_registered| {
        let booking = Booking { room_path: "/r/secret".to_owned(), was_registered, ..Booking::default() };
        registered_page(&invitation(), &typed(), &booking, around(false))
    };
    assert!(shown(false).contains("href=\"/r/secret\"") && !shown(true).contains("/r/secret"));
}

#[test]
fn the_age_is_asked_only_where_the_coach_wants_it_and_named_when_open() {
    assert!(!page(&invitation(), &typed(), None, false).contains("age_ok"));
    let asking = Invitation { ask_age: true, ..invitation() };
    let html = page(&asking, &typed(), None, false);
    let input = tag_with(&html, "name=\"age_ok\"");
    assert!(input.contains("type=\"checkbox\"") && !input.contains("checked"), "{input}");
    assert!(html.contains("I am 16 or older."));
    let refusal = Refusal::field("age_ok", "Please tick the box.");
    let html = page(&asking, &typed(), Some(&refusal), false);
    assert!(tag_with(&html, "id=\"register-age_ok\"").contains("aria-invalid=\"true\""));
    assert!(html.contains("Please tick the box."));
}
