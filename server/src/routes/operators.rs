//! The operators' console. Whoever has no seat gets the answer of an address that leads nowhere.

use app::context::SessionToken;
use app::context::desk::{
    Desk, Feedback, audit_page, children_page, disclosures_page, incidents_page, opened_page, overview_page,
    reviews_page,
};
use axum::extract::{Form, Path, Query as Asked, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use backend::operators::disclosures::{Named, Order};
use backend::operators::incidents::Breach;
use backend::{Error, Operator};
use domain::ids::{CoachId, DisclosureId, IncidentId};
use domain::{Moment, Refusal};
use serde::Deserialize;

use super::desk::{Fields, Query, all, done, no, page, refused, sit, text};
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/operators", get(overview))
        .route("/operators/coaches/{coach}", post(look))
        .route("/operators/disclosures", get(disclosures).post(enter_order))
        .route("/operators/disclosures/{disclosure}/agree", post(agree))
        .route("/operators/disclosures/{disclosure}/hand-out", post(hand_out))
        .route("/operators/incidents", get(incidents).post(enter_incident))
        .route("/operators/incidents/{incident}/reported", post(reported))
        .route("/operators/children", get(children).post(purge))
        .route("/operators/reviews", get(reviews).post(enter_review))
        .route("/operators/audit", get(audit))
}

/// Pages of the console that stand at an address of their own.
#[derive(Clone, Copy)]
enum Console {
    Overview,
    Disclosures,
    Incidents,
    Children,
    Reviews,
}

impl Console {
    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/operators",
            Self::Disclosures => "/operators/disclosures",
            Self::Incidents => "/operators/incidents",
            Self::Children => "/operators/children",
            Self::Reviews => "/operators/reviews",
        }
    }

    async fn html(self, operator: &Operator, desk: &Desk, feedback: &Feedback) -> Result<String, Error> {
        Ok(match self {
            Self::Overview => overview_page(desk, &operator.overview(None).await?, feedback),
            Self::Disclosures => disclosures_page(desk, &operator.disclosures().await?, operator.seat(), feedback),
            Self::Incidents => incidents_page(desk, &operator.incidents().await?, feedback),
            Self::Children => children_page(desk, &operator.reported_children().await?, feedback),
            Self::Reviews => reviews_page(desk, &operator.reviews().await?, feedback),
        })
    }
}

fn sentence(done: &str) -> Option<&'static str> {
    Some(match done {
        "order" => "It is entered, and waits for the other operator.",
        "agree" => "Both of you have agreed now.",
        "incident" => "It is entered, and every coach concerned gets a mail.",
        "reported" => "It is noted that the authority was told.",
        "child" => "It is being removed everywhere. Each coach concerned gets a mail that does not say whom.",
        "nobody" => "Nothing is held under this address.",
        "review" => "The review is entered.",
        _ => return None,
    })
}

async fn operator(state: &AppState, token: &SessionToken) -> Result<(Operator, Desk), Error> {
    let (coach, desk) = sit(state, token).await?;
    Ok((coach.operator().await?, desk))
}

async fn shown(
    state: &AppState,
    token: &SessionToken,
    console: Console,
    status: StatusCode,
    feedback: &Feedback,
) -> Response {
    let shown = async {
        let (operator, desk) = operator(state, token).await?;
        Ok::<_, Error>(page(status, console.html(&operator, &desk, feedback).await?))
    };
    shown.await.unwrap_or_else(|error| no(state, error))
}

/// Leads back to the page, or shows it again with what was wrong.
async fn end(
    state: &AppState,
    token: &SessionToken,
    console: Console,
    form: &str,
    fields: &Fields,
    outcome: Result<&str, Error>,
) -> Response {
    match outcome {
        Ok(word) => done(console.path(), word),
        Err(error) => match refused(state, form, error, fields) {
            Ok((status, feedback)) => {
                // Whoever may not be here at all gets the plain answer and not the page.
                match operator(state, token).await {
                    Ok(_) => shown(state, token, console, status, &feedback).await,
                    Err(error) => no(state, error),
                }
            }
            Err(answer) => *answer,
        },
    }
}

/// Where a page goes on.
#[derive(Default, Deserialize)]
struct Onward {
    before: Option<CoachId>,
    #[serde(default)]
    after: i64,
}

async fn overview(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(from): Asked<Onward>,
) -> Response {
    let shown = async {
        let (operator, desk) = operator(&state, &token).await?;
        let overview = operator.overview(from.before).await?;
        Ok::<_, Error>(page(StatusCode::OK, overview_page(&desk, &overview, &Feedback::default())))
    };
    shown.await.unwrap_or_else(|error| no(&state, error))
}

async fn look(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(coach): Path<CoachId>,
    Form(fields): Form<Fields>,
) -> Response {
    let reason = text(&fields, "reason");
    let looked = async {
        let (operator, desk) = operator(&state, &token).await?;
        let opened = operator.look_into(coach, reason).await?;
        Ok::<_, Error>(page(StatusCode::OK, opened_page(&desk, &opened, reason)))
    };
    match looked.await {
        Ok(page) => page,
        Err(error) => end(&state, &token, Console::Overview, "look", &fields, Err(error)).await,
    }
}

async fn disclosures(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, Console::Disclosures, StatusCode::OK, &feedback).await
}

async fn enter_order(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        let order = Order {
            authority: text(&fields, "authority").to_owned(),
            legal_basis: text(&fields, "legal_basis").to_owned(),
            classes: all(&fields, "classes"),
            people: text(&fields, "people").trim().parse().unwrap_or_default(),
        };
        operator.enter_order(&order).await?;
        Ok("order")
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Disclosures, "order", &fields, outcome).await
}

async fn agree(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(disclosure): Path<DisclosureId>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        operator.agree(disclosure).await?;
        Ok("agree")
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Disclosures, "agree", &Vec::new(), outcome).await
}

async fn hand_out(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(disclosure): Path<DisclosureId>,
    Form(fields): Form<Fields>,
) -> Response {
    let handed = async {
        let (operator, _) = operator(&state, &token).await?;
        let unknown = |_| Refusal::field("coach", "Please give the account by its id, as the list shows it.");
        let coach: CoachId = text(&fields, "coach").trim().parse().map_err(unknown)?;
        let named = Named { coach, email: text(&fields, "email").to_owned() };
        operator.hand_out(disclosure, &named).await
    };
    match handed.await {
        Ok(data) => {
            let mut response = Json(data).into_response();
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"disclosure.json\""),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => end(&state, &token, Console::Disclosures, "hand_out", &fields, Err(error)).await,
    }
}

async fn incidents(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, Console::Incidents, StatusCode::OK, &feedback).await
}

/// A moment as a browser's field writes it, in UTC.
fn moment(fields: &Fields, name: &str) -> Result<Moment, Refusal> {
    let typed = text(fields, name);
    let whole = if typed.len() == "2026-11-26T07:00".len() { format!("{typed}:00Z") } else { format!("{typed}Z") };
    whole.parse().map_err(|_| Refusal::field(name, "Please give a day and a time."))
}

async fn enter_incident(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        let breach = Breach {
            class: text(&fields, "class").to_owned(),
            from: moment(&fields, "from")?,
            to: moment(&fields, "to")?,
            summary: text(&fields, "summary").to_owned(),
        };
        operator.enter_incident(&breach).await?;
        Ok("incident")
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Incidents, "incident", &fields, outcome).await
}

async fn reported(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(incident): Path<IncidentId>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        operator.note_reported(incident).await?;
        Ok("reported")
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Incidents, "reported", &Vec::new(), outcome).await
}

async fn children(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, Console::Children, StatusCode::OK, &feedback).await
}

async fn purge(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        let report = match text(&fields, "report") {
            "" => None,
            id => Some(id.parse().map_err(|_| Refusal::not_found())?),
        };
        let removed = operator.purge_child(text(&fields, "address"), report).await?;
        Ok(if removed > 0 { "child" } else { "nobody" })
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Children, "child", &fields, outcome).await
}

async fn reviews(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, Console::Reviews, StatusCode::OK, &feedback).await
}

async fn enter_review(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (operator, _) = operator(&state, &token).await?;
        let days = text(&fields, "next_in_days").trim().parse().unwrap_or_default();
        operator.enter_review(text(&fields, "summary"), days).await?;
        Ok("review")
    };
    let outcome = outcome.await;
    end(&state, &token, Console::Reviews, "review", &fields, outcome).await
}

async fn audit(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(from): Asked<Onward>,
) -> Response {
    let shown = async {
        let (operator, desk) = operator(&state, &token).await?;
        Ok::<_, Error>(page(StatusCode::OK, audit_page(&desk, &operator.audit(from.after).await?)))
    };
    shown.await.unwrap_or_else(|error| no(&state, error))
}
