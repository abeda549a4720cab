//! The forms by which anybody complains or reports a child's registration.

use app::document::messages::{Shown, child_report_page, complaint_page};
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use backend::Client;
use domain::messages::{ChildReportForm, ComplaintForm};

use super::{around, html};
use crate::routes::answer;
use crate::state::AppState;

/// The complaint form.
pub(super) async fn complaint(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let css = state.assets.url("document.css");
    html(complaint_page(&around(&state, &css, &headers), &ComplaintForm::default(), &Shown::Form(None)))
}

/// Takes a complaint.
pub(super) async fn complain(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<ComplaintForm>,
) -> Response {
    let css = state.assets.url("document.css");
    let around = around(&state, &css, &headers);
    match state.backend.visitor().complain(&form, &client).await {
        Ok(id) => html(complaint_page(&around, &form, &Shown::Taken(&id.to_string()))),
        Err(error) => {
            let refusal = error.into_refusal();
            let mut response = html(complaint_page(&around, &form, &Shown::Form(Some(&refusal))));
            *response.status_mut() = answer::status(&refusal);
            answer::with_retry(response, &refusal)
        }
    }
}

/// The form of a report about a child.
pub(super) async fn child_report(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let css = state.assets.url("document.css");
    html(child_report_page(&around(&state, &css, &headers), &ChildReportForm::default(), &Shown::Form(None)))
}

/// Takes a report. The answer is the same whether or not the child is known.
pub(super) async fn report_child(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<ChildReportForm>,
) -> Response {
    let css = state.assets.url("document.css");
    let around = around(&state, &css, &headers);
    match state.backend.visitor().report_child(&form, &client).await {
        Ok(id) => html(child_report_page(&around, &form, &Shown::Taken(&id.to_string()))),
        Err(error) => {
            let refusal = error.into_refusal();
            let mut response = html(child_report_page(&around, &form, &Shown::Form(Some(&refusal))));
            *response.status_mut() = answer::status(&refusal);
            answer::with_retry(response, &refusal)
        }
    }
}
