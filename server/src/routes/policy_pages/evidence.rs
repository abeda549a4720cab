//! What the policy's sentences rest on: the data map, the records of processing, the recipients, the promises.

use app::document::prose::{Block, Prose, Row, Run};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::Moment;
use privacy::DataMap;
use privacy::promises::{Ledger, Standing, State as Kept, Upkeep, standings};
use privacy::published::{self, Kind, Record};
use privacy::recipients::{Document, Recipient, State as Use};

use super::{page, short};
use crate::routes::answer;
use crate::state::AppState;

/// JSON-LD by its media type (W3C JSON-LD 1.1, §7).
const JSON_LD: &str = "application/ld+json";

fn texts<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> Vec<Run> {
    let joined: Vec<String> = all.into_iter().map(|text| text.as_ref().to_owned()).collect();
    vec![Run::text(if joined.is_empty() { "nobody".to_owned() } else { joined.join(" · ") })]
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The data map: as a page, or as JSON-LD for whoever asks for that.
pub(super) async fn data_map(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let wants_ld = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(JSON_LD));
    if wants_ld {
        return data_map_json_ld(State(state)).await;
    }
    let map = DataMap::current();
    let recipients = &state.config.recipients;
    let kinds = published::kinds(map, recipients);
    let (about_people, others): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| !kind.about.is_empty());
    let names =
        ["Kind of data", "Whose", "Where it comes from", "What for", "On which basis", "How long", "Who gets it"];
    let row = |kind: &&Kind| kind_row(map, &state, kind);
    let purposes = map.purposes.iter().map(|(key, text)| (key.clone(), vec![Run::text(text.clone())])).collect();
    let bases = map.bases.values().map(|basis| (basis.article.clone(), vec![Run::text(basis.text.clone())])).collect();
    let blocks = vec![
        Block::Table {
            caption: "Kinds of data about people".to_owned(),
            head: head(&names),
            rows: about_people.iter().map(row).collect(),
        },
        Block::Table {
            caption: "Kinds of data about nobody".to_owned(),
            head: head(&names),
            rows: others.iter().map(row).collect(),
        },
        Block::heading("Purposes: these and no others"),
        Block::Facts(purposes),
        Block::heading("Legal bases"),
        Block::Facts(bases),
        Block::Paragraph(vec![
            Run::text(format!(
                "Behind this page stand {} places, each column, file, cookie, log field and part of a mail with its own line: ",
                map.places.len()
            )),
            Run::link("/privacy/data-map.json", "the whole map as JSON"),
            Run::text(", and "),
            Run::link("/privacy/data-map.jsonld", "in the words of the W3C Data Privacy Vocabulary"),
            Run::text("."),
        ]),
    ];
    page(
        &state,
        &headers,
        Prose {
            title: "Data map".to_owned(),
            path: "/privacy/data-map",
            dateline: Some(format!(
                "Made from the map this program works by, SHA-256 {}.",
                hex::encode(DataMap::hash())
            )),
            short: short(&state),
            blocks,
        },
    )
}

fn kind_row(map: &DataMap, state: &AppState, kind: &Kind) -> Row {
    let plural = |word: &&str| format!("{word}s");
    let kept = kind.retentions.iter().filter_map(|key| map.retentions.get(key)).map(|kept| kept.text.as_str());
    let bases = kind.bases.iter().filter_map(|key| map.bases.get(key)).map(|basis| basis.article.as_str());
    let named = |id: &String| state.config.recipients.recipients.iter().find(|one| one.id == *id);
    let gets = kind.recipients.iter().filter_map(named).map(|one| one.category.label());
    let whose = if kind.about.is_empty() { vec!["nobody".to_owned()] } else { kind.about.iter().map(plural).collect() };
    let title = if kind.is_sealed { format!("{} (sealed for each person)", kind.title) } else { kind.title.clone() };
    Row {
        id: Some(kind.key.clone()),
        cells: vec![
            vec![Run::text(title)],
            texts(whose),
            vec![Run::text(kind.source.label())],
            vec![Run::text(kind.purposes.join(" · "))],
            vec![Run::text(bases.collect::<Vec<_>>().join(" · "))],
            vec![Run::text(kept.collect::<Vec<_>>().join(" · "))],
            texts(gets),
        ],
    }
}

/// The data map as JSON.
pub(super) async fn data_map_json(State(state): State<AppState>) -> Response {
    Json(published::json(DataMap::current(), &state.config.recipients)).into_response()
}

/// The data map as JSON-LD.
pub(super) async fn data_map_json_ld(State(state): State<AppState>) -> Response {
    let base = state.backend.config().absolute("");
    let mut response = Json(published::json_ld(DataMap::current(), &state.config.recipients, &base)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON_LD));
    response
}

/// Records of processing activities in both roles (Art. 30 GDPR).
pub(super) async fn records(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let [controller, processor] = published::records(DataMap::current(), &state.config.recipients);
    let contact = state.backend.config().contact_email.clone();
    let mut blocks = vec![Block::Facts(vec![
        (
            "Controller of coaches’ accounts, processor for coaches".to_owned(),
            vec![Run::text("My Mini Webinar, run by Yana and Lesly")],
        ),
        ("Contact".to_owned(), vec![Run::link(format!("mailto:{contact}"), contact)]),
        (
            "Security measures".to_owned(),
            vec![Run::text(
                "Encryption on the way; viewers’ identity sealed under a key of each person’s own, keys apart from data; \
                 Argon2id for passwords; two operators with a second factor and a written reason for every look; an audit \
                 chain without people; erasure proven by a byte scan.",
            )],
        ),
    ])];
    for (title, records) in [
        ("As controller: coaches and their accounts (Art. 30(1))", controller),
        ("As processor: viewers, for each coach (Art. 30(2))", processor),
    ] {
        blocks.push(Block::heading(title));
        blocks.push(Block::Table {
            caption: title.to_owned(),
            head: head(&["Processing", "Kinds of data", "Basis", "Recipients", "Third countries", "Time limits"]),
            rows: records.iter().map(record_row).collect(),
        });
    }
    page(
        &state,
        &headers,
        Prose {
            title: "Records of processing".to_owned(),
            path: "/privacy/records",
            dateline: None,
            short: short(&state),
            blocks,
        },
    )
}

fn record_row(record: &Record) -> Row {
    Row {
        id: None,
        cells: vec![
            vec![Run::text(format!("{} ({})", record.purpose, record.about))],
            texts(&record.kinds),
            texts(&record.bases),
            texts(&record.recipients),
            texts(&record.transfers),
            texts(&record.limits),
        ],
    }
}

/// Who gets data, from the list that is also the wall.
pub(super) async fn subprocessors(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let list = &state.config.recipients;
    let names =
        ["Who", "What they are", "What for", "Kinds of data", "Where", "What covers it", "Document", "Reached at"];
    let rows =
        |wanted: Use| list.recipients.iter().filter(|one| one.state == wanted).map(recipient_row).collect::<Vec<_>>();
    let places = list
        .places
        .iter()
        .map(|place| {
            let mut text = vec![Run::text(format!("{}. ", place.mechanism.label()))];
            text.extend(place.document.as_ref().map(document).into_iter().flatten());
            (place.name.clone(), text)
        })
        .collect();
    let blocks = vec![
        Block::heading("Who gets data today"),
        Block::Table { caption: "Recipients in use".to_owned(), head: head(&names), rows: rows(Use::InUse) },
        Block::heading("Who may get data one day"),
        Block::words(
            "Nothing is sent to these, and the program cannot reach them. Before that changes, it is announced here, 30 days ahead.",
        ),
        Block::Table { caption: "Recipients planned".to_owned(), head: head(&names), rows: rows(Use::Planned) },
        Block::heading("From where the service is operated"),
        Block::Facts(places),
    ];
    page(
        &state,
        &headers,
        Prose {
            title: "Recipients".to_owned(),
            path: "/privacy/subprocessors",
            dateline: Some(format!("List of {}.", list.published)),
            short: vec![
                "Only those in the first table get anything, and none of them buys data or advertises with it."
                    .to_owned(),
                "The program refuses to contact any other host: this page and that wall are made from one file."
                    .to_owned(),
            ],
            blocks,
        },
    )
}

fn recipient_row(recipient: &Recipient) -> Row {
    let map = DataMap::current();
    let title =
        |key: &String| map.classes.get(key).map_or_else(|| "every kind".to_owned(), |class| class.title.clone());
    let none = || vec![Run::text("the installation’s own network only")];
    Row {
        id: Some(recipient.id.clone()),
        cells: vec![
            vec![Run::text(recipient.name.clone())],
            vec![Run::text(recipient.category.label())],
            vec![Run::text(recipient.what_for.clone())],
            texts(recipient.classes.iter().map(title)),
            texts(&recipient.countries),
            vec![Run::text(recipient.mechanism.label())],
            recipient.document.as_ref().map_or_else(|| vec![Run::text("none yet")], document),
            if recipient.hosts.is_empty() { none() } else { texts(&recipient.hosts) },
        ],
    }
}

fn document(document: &Document) -> Vec<Run> {
    let title = match &document.file {
        Some(file) => Run::link(format!("/privacy/documents/{file}"), document.title.clone()),
        None => Run::text(document.title.clone()),
    };
    vec![title, Run::text(format!(", {}, SHA-256 {}", document.date, document.sha256))]
}

/// Characters by which a commit is told from others.
const SHORT_COMMIT: usize = 12;

/// Every promise with its tests, green or red.
pub(super) async fn promises(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let ledger = (*state.ledger).as_ref();
    let standings = match kept_up(&state).await {
        Ok(kept_up) => standings(ledger, &kept_up),
        Err(error) => return answer::page(&state, error),
    };
    let kept = standings.iter().filter(|standing| standing.state == Kept::Kept).count();
    let names = ["Promise", "State", "Tests in the last run"];
    let blocks = vec![Block::Table {
        caption: "Promises of the privacy policy".to_owned(),
        head: head(&names),
        rows: standings.iter().map(promise_row).collect(),
    }];
    page(
        &state,
        &headers,
        Prose {
            title: "Promises and their tests".to_owned(),
            path: "/privacy/promises",
            dateline: Some(run_of(ledger)),
            short: vec![
                format!("{kept} of {} promises are kept, as far as tests can tell.", standings.len()),
                "A promise is green when its own tests ran for this build and passed; nobody can set it by hand."
                    .to_owned(),
                "Red means that a test failed, that the part it needs does not exist yet, or that the people who run this installation owe something."
                    .to_owned(),
            ],
            blocks,
        },
    )
}

/// What the people behind this installation keep up at the moment.
async fn kept_up(state: &AppState) -> backend::Result<Vec<Upkeep>> {
    let review = state.backend.last_review(state.backend.now()).await?;
    let is_reviewed = review.is_some_and(|review| !review.is_overdue);
    Ok(is_reviewed.then_some(Upkeep::SecurityReview).into_iter().collect())
}

fn run_of(ledger: Option<&Ledger>) -> String {
    match ledger {
        Some(ledger) => format!(
            "Last run {} on commit {}{}.",
            ledger.ran_at.parse::<Moment>().map_or_else(|_| ledger.ran_at.clone(), |at| at.utc_text()),
            ledger.commit.get(..SHORT_COMMIT).unwrap_or(&ledger.commit),
            if ledger.has_changes { ", with changes that are not committed" } else { "" }
        ),
        None => "No run of the tests is recorded in this build, so no promise counts as kept.".to_owned(),
    }
}

fn promise_row(standing: &Standing) -> Row {
    let passed = standing.tests.iter().filter(|test| test.passed).count();
    let state = Run::State { text: standing.state.label().to_owned(), is_good: standing.state == Kept::Kept };
    let reason = standing.reason.as_ref().map(|reason| Run::text(format!(" ({reason})")));
    let mut promise = vec![Run::Strong(format!("{} ", standing.id)), Run::text(standing.says)];
    promise.extend(reason);
    let tests = match standing.tests.len() {
        0 => format!("{}: none", standing.test_id),
        all => format!("{}: {passed} of {all} passed", standing.test_id),
    };
    Row { id: Some(standing.id.to_owned()), cells: vec![promise, vec![state], vec![Run::text(tests)]] }
}

/// The same as JSON.
pub(super) async fn promises_json(State(state): State<AppState>) -> Response {
    let ledger = (*state.ledger).as_ref();
    let kept_up = match kept_up(&state).await {
        Ok(kept_up) => kept_up,
        Err(error) => return answer::plain(error),
    };
    let body = serde_json::json!({
        "ran_at": ledger.map(|ledger| &ledger.ran_at),
        "commit": ledger.map(|ledger| &ledger.commit),
        "has_changes": ledger.map(|ledger| ledger.has_changes),
        "promises": standings(ledger, &kept_up),
    });
    Json(body).into_response()
}
