//! One line for everything the server can be asked: who may, what it names, and what to send so that it does
//! something. Tests that go through every route, form or server function take their requests from here, and each
//! begins by making sure that nothing is without its line.

use std::collections::BTreeSet;

use app::context::perform::{FORMS, Sender};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::world::{Ask, CAPTIONS, Ids, Kind, PASSWORD, Route, SAMPLE, sources};

/// Names and values of a form's fields.
pub type Fields = Vec<(&'static str, String)>;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Anybody may ask it.
    Public,
    /// Something one coach owns, named by its id.
    Things,
    /// Whoever asks: it names nothing.
    Asker,
    /// What the holder of a link or a signed address may do.
    Link,
    /// The installation: developers, and whoever runs it.
    Installation,
    /// What only an operator sees; for everybody else it is nowhere.
    Operator,
}

/// What to send.
pub enum Sent {
    /// No body.
    Nothing,
    /// A form.
    Form(Fields),
    /// JSON.
    Json(Value),
    /// A form with files.
    Files(Vec<(&'static str, Option<&'static str>, Vec<u8>)>),
    /// Headers and bytes of a tus client.
    Tus(Fields, Bytes),
}

impl Sent {
    /// Puts it on a request.
    pub fn on(self, ask: Ask) -> Ask {
        match self {
            Self::Nothing => ask,
            Self::Form(fields) => ask.form(&fields),
            Self::Json(value) => ask.json(&value),
            Self::Files(parts) => {
                let parts: Vec<_> = parts.iter().map(|(name, file, bytes)| (*name, *file, bytes.as_slice())).collect();
                ask.multipart(&parts)
            }
            Self::Tus(headers, bytes) => {
                let ask = headers.iter().fold(ask.tus(), |ask, (name, value)| ask.header(name, value));
                ask.bytes(bytes)
            }
        }
    }
}

/// A form of the studio.
pub struct FormLine {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: About,
    /// Its fields.
    pub fields: fn(&Ids) -> Fields,
}

const fn form(name: &'static str, about: About, fields: fn(&Ids) -> Fields) -> FormLine {
    FormLine { name, about, fields }
}

fn nothing(_: &Ids) -> Fields {
    Vec::new()
}

fn webinar(ids: &Ids) -> Fields {
    vec![("webinar", ids.webinar.to_string())]
}

fn password(_: &Ids) -> Fields {
    vec![("password", PASSWORD.to_owned())]
}

fn settings(ids: &Ids) -> Fields {
    let text = |name, value: &str| (name, value.to_owned());
    vec![
        ("webinar", ids.webinar.to_string()),
        ("slug", ids.slug.clone()),
        text("revision", "1"),
        text("title", "Another title"),
        text("presenter", "Maya"),
        text("session_kind", "on_demand"),
        text("consent_text", "I agree."),
        text("link_days", "9"),
    ]
}

/// Every form, in an order in which the owner can send one after the other.
pub const FORM_LINES: &[FormLine] = &[
    form("sign_up", About::Public, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        let boxes = [text("age_ok", "on"), text("terms", "on"), text("name", "Somebody"), text("password", PASSWORD)];
        [("email", ids.email.clone())].into_iter().chain(boxes).collect()
    }),
    form("confirm_email", About::Public, |_| vec![("token", "AAAA".to_owned())]),
    form("sign_in", About::Public, |ids| {
        vec![("email", ids.email.clone()), ("password", "not her password".to_owned())]
    }),
    form("second_factor", About::Public, |_| vec![("code", "000000".to_owned())]),
    form("request_reset", About::Public, |ids| vec![("email", ids.email.clone())]),
    form("reset_password", About::Public, |_| vec![("token", "AAAA".to_owned()), ("password", PASSWORD.to_owned())]),
    form("sign_out", About::Public, nothing),
    form("resend_confirmation", About::Asker, nothing),
    form("profile", About::Asker, |_| vec![("name", "Renamed".to_owned()), ("time_zone", "Europe/Paris".to_owned())]),
    form("change_password", About::Asker, |_| {
        vec![("current_password", PASSWORD.to_owned()), ("password", PASSWORD.to_owned())]
    }),
    form("change_email", About::Asker, |_| {
        vec![("password", PASSWORD.to_owned()), ("email", "elsewhere@example.org".to_owned())]
    }),
    form("begin_second_factor", About::Asker, password),
    form("enable_second_factor", About::Asker, |_| vec![("code", "000000".to_owned())]),
    form("new_recovery_codes", About::Asker, password),
    form("disable_second_factor", About::Asker, password),
    form("revoke_login", About::Things, |ids| vec![("login", ids.login.to_string())]),
    form("revoke_other_logins", About::Asker, nothing),
    form("create_webinar", About::Asker, |_| vec![("title", "One more".to_owned())]),
    form("save_webinar", About::Things, settings),
    form("save_schedule", About::Things, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        vec![
            ("webinar", ids.webinar.to_string()),
            text("notice_minutes", "20"),
            text("doors_minutes", "15"),
            text("late_join", "where_it_is"),
            text("shown", "5"),
            text("replay_days", "3"),
        ]
    }),
    form("move_session", About::Things, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        vec![
            ("webinar", ids.webinar.to_string()),
            ("session", ids.session.to_string()),
            ("date", ids.day.clone()),
            text("at", "18:30"),
            text("zone", "Europe/Paris"),
            text("note", "I am at a fair until then."),
        ]
    }),
    form("call_off_session", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("session", ids.other_session.to_string())]
    }),
    form("bring_back", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("date", ids.other_start.clone())]
    }),
    form("remove_date", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("date", format!("{}T18:30:00@Europe/Paris", ids.day))]
    }),
    form("remove_rule", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("rule", ids.rule.to_string())]
    }),
    form("save_template", About::Things, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        vec![
            ("webinar", ids.webinar.to_string()),
            ("template", ids.template.to_string()),
            text("timing", "before"),
            text("amount", "2"),
            text("unit", "hours"),
            text("subject", "Soon"),
            text("body", "Hello {{first_name|there}}, it begins soon."),
            text("is_on", "on"),
        ]
    }),
    form("test_template", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("template", ids.template.to_string())]
    }),
    form("remove_template", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("template", ids.template.to_string())]
    }),
    form("add_rule", About::Things, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        // A first rule makes a webinar take place at set times, and the others are about one on demand.
        vec![("webinar", ids.draft.to_string()), text("kind", "daily"), text("at", "18:00"), text("zone", "UTC")]
    }),
    form("resend_link", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("registration", ids.registration.to_string())]
    }),
    form("try_address_again", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("registration", ids.registration.to_string())]
    }),
    form("acknowledge_policy", About::Asker, |_| vec![("version", "2026-11-26".to_owned())]),
    form("forget_child", About::Things, |ids| {
        vec![("webinar", ids.webinar.to_string()), ("registration", ids.registration.to_string())]
    }),
    form("choose_poster", About::Things, |ids| vec![("video", ids.video.to_string()), ("index", "1".to_owned())]),
    form("remove_caption", About::Things, |ids| vec![("caption", ids.caption.to_string())]),
    form("remove_logo", About::Things, webinar),
    form("cancel_upload", About::Things, |ids| vec![("upload", ids.upload.to_string())]),
    form("unpublish", About::Things, webinar),
    form("close_now", About::Things, webinar),
    form("archive", About::Things, webinar),
    form("reopen", About::Things, webinar),
    form("publish", About::Things, webinar),
    form("delete_draft", About::Things, |ids| vec![("webinar", ids.draft.to_string())]),
];

/// A server function.
pub struct FunctionLine {
    /// Its endpoint.
    pub name: &'static str,
    /// What it is about.
    pub about: About,
    /// Its arguments.
    pub sent: fn(&Ids) -> Sent,
}

const fn function(name: &'static str, about: About, sent: fn(&Ids) -> Sent) -> FunctionLine {
    FunctionLine { name, about, sent }
}

fn no_arguments(_: &Ids) -> Sent {
    Sent::Form(Vec::new())
}

fn webinar_by_id(ids: &Ids) -> Sent {
    Sent::Form(vec![("id", ids.webinar.to_string())])
}

/// A form as a page that is awake sends it.
pub fn submitted(form: &str, fields: &Fields) -> Sent {
    Sent::Json(json!({ "form": form, "fields": fields }))
}

/// Every server function.
pub const FUNCTION_LINES: &[FunctionLine] = &[
    // Its forms have lines of their own.
    function("submit", About::Asker, |_| submitted("create_webinar", &vec![("title", "One more".to_owned())])),
    function("is_dev", About::Public, no_arguments),
    function("account", About::Asker, no_arguments),
    function("card", About::Asker, no_arguments),
    function("home", About::Asker, no_arguments),
    function("webinars", About::Asker, |_| Sent::Form(vec![("state", String::new())])),
    function("webinar", About::Things, webinar_by_id),
    function("results", About::Things, webinar_by_id),
    function("schedule", About::Things, webinar_by_id),
    function("mail_sequence", About::Things, webinar_by_id),
    function("rehearsal", About::Things, |ids| Sent::Json(json!({ "id": ids.webinar, "form": {} }))),
    function("registrants", About::Things, |ids| {
        Sent::Json(json!({ "id": ids.webinar, "query": { "search": "", "status": "", "sort": "", "page": 0 } }))
    }),
    function("registrant", About::Things, |ids| {
        Sent::Form(vec![("webinar", ids.webinar.to_string()), ("id", ids.registration.to_string())])
    }),
];

/// A route that is neither page nor server function.
pub struct RouteLine {
    /// Method.
    pub method: &'static str,
    /// Path with `{names}`.
    pub path: &'static str,
    /// What it is about.
    pub about: About,
    /// What to send.
    pub sent: fn(&Ids) -> Sent,
}

const fn route(method: &'static str, path: &'static str, about: About, sent: fn(&Ids) -> Sent) -> RouteLine {
    RouteLine { method, path, about, sent }
}

fn empty(_: &Ids) -> Sent {
    Sent::Nothing
}

fn registration(ids: &Ids, email: &str) -> Sent {
    let consent = ("consent", "yes".to_owned());
    Sent::Form(vec![("email", email.to_owned()), consent, ("form_stamp", ids.stamp.clone())])
}

fn rest_of_upload(_: &Ids) -> Sent {
    let content_type = ("content-type", "application/offset+octet-stream".to_owned());
    Sent::Tus(vec![content_type, ("upload-offset", "100000".to_owned())], Bytes::from_static(&SAMPLE[100_000..200_000]))
}

/// The smallest PNG there is: one pixel.
fn pixel() -> Vec<u8> {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    STANDARD.decode(png).expect("base64")
}

/// Every plain route. `HEAD` goes with `GET`.
pub const ROUTE_LINES: &[RouteLine] = &[
    route("GET", "/w/{slug}", About::Public, empty),
    route("POST", "/w/{slug}", About::Public, |ids| registration(ids, "first@example.net")),
    route("GET", "/w/{slug}/embed", About::Public, empty),
    route("POST", "/w/{slug}/embed", About::Public, |ids| registration(ids, "second@example.net")),
    route("POST", "/w/{slug}/link", About::Public, |_| Sent::Form(vec![("email", "anna@example.net".to_owned())])),
    route("POST", "/w/{slug}/switch", About::Public, |_| Sent::Form(vec![("token", "AAAA.AAAA".to_owned())])),
    route("GET", "/u/{choice}", About::Link, empty),
    // The portal has ended them by then.
    route("POST", "/u/{choice}", About::Link, |_| Sent::Form(vec![("wish", "again".to_owned())])),
    route("GET", "/r/{token}", About::Link, empty),
    route("GET", "/r/{token}/calendar.ics", About::Link, empty),
    route("POST", "/r/{token}", About::Link, |_| Sent::Form(vec![("slot", "AAAA.AAAA".to_owned())])),
    route("GET", "/embed.js", About::Public, empty),
    route("POST", "/api/beats", About::Link, |ids| {
        Sent::Json(json!({ "view": ids.view, "seq": 1, "from": 0.0, "to": 2.0, "rate": 1.0 }))
    }),
    route("GET", "/media/{kind}/{name}", About::Link, empty),
    route("OPTIONS", "/uploads", About::Public, empty),
    route("POST", "/uploads", About::Things, |ids| {
        let named = |key: &str, value: &str| format!("{key} {}", STANDARD.encode(value));
        let metadata = format!("{},{}", named("filename", "a.mp4"), named("webinar", &ids.webinar.to_string()));
        Sent::Tus(vec![("upload-length", "1000".to_owned()), ("upload-metadata", metadata)], Bytes::new())
    }),
    route("OPTIONS", "/uploads/{id}", About::Public, empty),
    route("HEAD", "/uploads/{id}", About::Things, |_| Sent::Tus(Vec::new(), Bytes::new())),
    route("PATCH", "/uploads/{id}", About::Things, rest_of_upload),
    route("POST", "/uploads/{id}", About::Things, |_| {
        Sent::Tus(vec![("x-http-method-override", "HEAD".to_owned())], Bytes::new())
    }),
    route("DELETE", "/uploads/{id}", About::Things, |_| Sent::Tus(Vec::new(), Bytes::new())),
    route("POST", "/dashboard/webinars/{webinar}/mails/preview", About::Things, |_| {
        Sent::Form(vec![
            ("timing", "before".to_owned()),
            ("amount", "2".to_owned()),
            ("unit", "hours".to_owned()),
            ("subject", "Soon".to_owned()),
            ("body", "Hello.".to_owned()),
        ])
    }),
    route("GET", "/dashboard/webinars/{webinar}/mails/{template}/preview", About::Things, empty),
    route("POST", "/dashboard/webinars/{webinar}/logo", About::Things, |_| {
        Sent::Files(vec![("file", Some("logo.png"), pixel())])
    }),
    route("POST", "/dashboard/videos/{video}/captions", About::Things, |_| {
        let text = |name, value: &str| (name, None, value.as_bytes().to_vec());
        Sent::Files(vec![
            text("language", "fr"),
            text("label", "Français"),
            ("file", Some("fr.vtt"), CAPTIONS.to_vec()),
        ])
    }),
    route("GET", "/dashboard/webinars/{webinar}/registrants.csv", About::Things, empty),
    route("GET", "/dashboard/my-data", About::Asker, empty),
    route("POST", "/dashboard/my-data/archive", About::Asker, |ids| {
        Sent::Form(vec![("password", PASSWORD.to_owned()), ("code", ids.codes[1].clone())])
    }),
    route("POST", "/dashboard/my-data/archives/{archive}/fetch", About::Things, |ids| {
        Sent::Form(vec![("password", PASSWORD.to_owned()), ("code", ids.codes[2].clone())])
    }),
    route("POST", "/dashboard/my-data/archives/{archive}/revoke", About::Things, empty),
    route("POST", "/dashboard/my-data/restrict", About::Asker, empty),
    route("POST", "/dashboard/my-data/lift", About::Asker, empty),
    route("GET", "/dashboard/my-data/close", About::Asker, empty),
    route("POST", "/dashboard/my-data/close", About::Asker, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        let proof = [text("password", PASSWORD), text("code", &ids.codes[0]), text("name", "Maya")];
        Sent::Form([text("exit", "later")].into_iter().chain(proof).collect())
    }),
    route("POST", "/dashboard/my-data/close-link", About::Asker, empty),
    route("POST", "/dashboard/my-data/stay", About::Asker, empty),
    route("GET", "/dashboard/requests", About::Asker, empty),
    route("POST", "/dashboard/requests/objections/{objection}", About::Things, |_| {
        Sent::Form(vec![("decision", "uphold".to_owned()), ("reasons", String::new())])
    }),
    route("POST", "/dashboard/requests/holds", About::Asker, |ids| {
        let text = |name, value: &str| (name, value.to_owned());
        let what = [text("ground", "legal_claim"), text("classes", "booking"), text("until", &ids.day)];
        Sent::Form([text("email", &ids.waiting.viewer)].into_iter().chain(what).collect())
    }),
    route("POST", "/dashboard/requests/holds/{hold}/release", About::Things, empty),
    route("GET", "/dashboard/consent-texts", About::Asker, empty),
    route("GET", "/operators", About::Operator, empty),
    route("POST", "/operators/coaches/{coach}", About::Operator, |_| {
        Sent::Form(vec![("reason", "She asked us to look.".to_owned())])
    }),
    route("GET", "/operators/disclosures", About::Operator, empty),
    route("POST", "/operators/disclosures", About::Operator, |_| {
        let text = |name, value: &str| (name, value.to_owned());
        let what = [text("legal_basis", "An order"), text("people", "1"), text("classes", "email")];
        Sent::Form([text("authority", "A court")].into_iter().chain(what).collect())
    }),
    route("POST", "/operators/disclosures/{disclosure}/agree", About::Operator, empty),
    route("POST", "/operators/disclosures/{disclosure}/hand-out", About::Operator, |ids| {
        Sent::Form(vec![("coach", ids.waiting.coach.to_string()), ("email", String::new())])
    }),
    route("GET", "/operators/incidents", About::Operator, empty),
    route("POST", "/operators/incidents", About::Operator, |_| {
        let text = |name, value: &str| (name, value.to_owned());
        let when = [text("from", "2026-11-01T00:00"), text("to", "2026-11-02T00:00"), text("summary", "A test.")];
        Sent::Form([text("class", "email")].into_iter().chain(when).collect())
    }),
    route("POST", "/operators/incidents/{incident}/reported", About::Operator, empty),
    route("GET", "/operators/children", About::Operator, empty),
    route("POST", "/operators/children", About::Operator, |ids| Sent::Form(vec![("address", ids.child.clone())])),
    route("GET", "/operators/reviews", About::Operator, empty),
    route("POST", "/operators/reviews", About::Operator, |_| {
        Sent::Form(vec![("summary", "Looked at everything.".to_owned()), ("next_in_days", "90".to_owned())])
    }),
    route("GET", "/operators/audit", About::Operator, empty),
    route("GET", "/privacy/disclosures", About::Public, empty),
    route("GET", "/privacy/erasures/{request}", About::Link, empty),
    route("GET", "/.well-known/mini-webinar-receipts.json", About::Public, empty),
    route("GET", "/privacy/receipt", About::Public, empty),
    route("POST", "/privacy/receipt", About::Public, |_| {
        Sent::Form(vec![("receipt", "{}".to_owned()), ("address", "anna@example.net".to_owned())])
    }),
    route("GET", "/privacy/archives/{archive}", About::Link, empty),
    route("GET", "/privacy", About::Public, empty),
    route("GET", "/privacy/versions", About::Public, empty),
    route("GET", "/privacy/versions/{version}", About::Public, empty),
    route("GET", "/privacy/documents/{document}", About::Public, empty),
    route("GET", "/privacy/data-map", About::Public, empty),
    route("GET", "/privacy/data-map.json", About::Public, empty),
    route("GET", "/privacy/data-map.jsonld", About::Public, empty),
    route("GET", "/privacy/records", About::Public, empty),
    route("GET", "/privacy/subprocessors", About::Public, empty),
    route("GET", "/privacy/promises", About::Public, empty),
    route("GET", "/privacy/promises.json", About::Public, empty),
    route("GET", "/privacy/complain", About::Public, empty),
    route("POST", "/privacy/complain", About::Public, |_| {
        let words = ("words", "Something is not as promised.".to_owned());
        Sent::Form(vec![("email", "ann@example.net".to_owned()), ("law", "uk".to_owned()), words])
    }),
    route("GET", "/privacy/report-child", About::Public, empty),
    route("POST", "/privacy/report-child", About::Public, |_| {
        Sent::Form(vec![("child_email", "kid@example.net".to_owned()), ("words", "On Maya's page.".to_owned())])
    }),
    route("GET", "/.well-known/gpc.json", About::Public, empty),
    route("GET", "/.well-known/security.txt", About::Public, empty),
    route("GET", "/terms", About::Public, empty),
    route("GET", "/dashboard/webinars/{webinar}/registrants/{registration}/consents.json", About::Things, empty),
    route("GET", "/my-data", About::Link, empty),
    route("POST", "/my-data", About::Public, |_| Sent::Form(vec![("email", "first@example.net".to_owned())])),
    route("GET", "/my-data/prove", About::Public, empty),
    route("POST", "/my-data/prove", About::Link, |ids| Sent::Form(vec![("token", ids.proof.clone())])),
    route("GET", "/my-data/erase", About::Link, empty),
    route("GET", "/my-data/correct", About::Link, empty),
    route("POST", "/my-data/correct", About::Link, |ids| {
        Sent::Form(vec![("coach", ids.coach.to_string()), ("name", "Anna Else".to_owned())])
    }),
    route("POST", "/my-data/act", About::Link, |ids| {
        Sent::Form(vec![("coach", ids.coach.to_string()), ("wish", "unsubscribe".to_owned())])
    }),
    route("POST", "/my-data/archive", About::Link, |ids| {
        Sent::Form(vec![("coach", ids.coach.to_string()), ("step", "ask".to_owned())])
    }),
    route("GET", "/my-data/receipt", About::Link, empty),
    route("POST", "/my-data/leave", About::Link, empty),
    route("GET", "/pkg/{*file}", About::Public, empty),
    route("GET", "/fonts/{*file}", About::Public, empty),
    route("GET", "/favicon.svg", About::Public, empty),
    route("GET", "/robots.txt", About::Public, empty),
    route("GET", "/healthz", About::Public, empty),
    route("POST", "/hooks/mail", About::Installation, empty),
    route("GET", "/readyz", About::Public, empty),
    route("GET", "/metrics", About::Installation, empty),
    route("GET", "/dev/mailbox", About::Installation, empty),
    route("GET", "/dev/mailbox.json", About::Installation, empty),
    route("POST", "/dev/scan", About::Installation, |_| Sent::Json(json!({ "needles": ["nobody-is-called-so"] }))),
    route("GET", "/dev/clock", About::Installation, empty),
    route("POST", "/dev/clock", About::Installation, |_| Sent::Json(json!({ "advance_seconds": 3600 }))),
];

/// The line of a plain route.
pub fn line_of(route: &Route) -> Option<&'static RouteLine> {
    ROUTE_LINES.iter().find(|line| line.path == route.path && route.method == line.method)
}

/// The line of a server function by its path.
pub fn function_at(path: &str) -> Option<&'static FunctionLine> {
    let name = path.strip_prefix("/api/fn/")?;
    FUNCTION_LINES.iter().find(|line| line.name == name)
}

/// Fails, and says which, when a route, a server function or a form has no line, or a line has nothing.
pub fn nothing_is_without_its_line(routes: &[Route]) {
    let plain = |route: &&Route| route.kind == Kind::Plain;
    let has_get = |path: &str| routes.iter().any(|route| route.path == path && route.method == "GET");
    let found: BTreeSet<String> = routes
        .iter()
        .filter(plain)
        .filter(|route| route.method != "HEAD" || !has_get(&route.path))
        .map(Route::name)
        .collect();
    let lines = ROUTE_LINES.iter().map(|line| format!("{} {}", line.method, line.path)).collect();
    same_names("plain route", &found, &lines);

    let found = routes.iter().filter(|route| route.kind == Kind::Function).map(|route| route.path.clone()).collect();
    let lines = FUNCTION_LINES.iter().map(|line| format!("/api/fn/{}", line.name)).collect();
    same_names("server function", &found, &lines);

    let with_sender = |name: &str, sender: Sender| format!("{name} ({sender:?})");
    let found: BTreeSet<_> = FORMS.iter().map(|(name, sender)| with_sender(name, *sender)).collect();
    let sender = |about| if about == About::Public { Sender::Anybody } else { Sender::Coach };
    let lines = FORM_LINES.iter().map(|line| with_sender(line.name, sender(line.about))).collect();
    same_names("form", &found, &lines);
    let names = FORMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(forms_on_screens(), names, "forms that stand on a screen, and forms the server takes");
}

/// Names of the forms the screens show, as the sources write them down.
fn forms_on_screens() -> BTreeSet<String> {
    let screens = testkit::package_folder().join("../app/src");
    let texts = sources(&screens).into_iter().map(|file| std::fs::read_to_string(file).expect("a source"));
    let mut names = BTreeSet::new();
    for text in texts {
        let after = text.split("<PostForm name=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        names.extend(after.map(|(name, _)| name.to_owned()));
    }
    // The example among the pieces of the kit leads nowhere.
    names.remove("kit");
    names
}

fn same_names(what: &str, found: &BTreeSet<String>, lines: &BTreeSet<String>) {
    let missing: Vec<_> = found.difference(lines).collect();
    assert!(missing.is_empty(), "no line in tests/router/lines.rs for this {what}: {missing:?}");
    let stale: Vec<_> = lines.difference(found).collect();
    assert!(stale.is_empty(), "a line in tests/router/lines.rs for a {what} that is not there: {stale:?}");
}
