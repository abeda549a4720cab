//! The operators' console: two seats, and everything they do on record (promises P25, P42, P43).

use backend::operators::children::Report;
use backend::operators::incidents::REPORT_HOURS;
use backend::operators::reviews::MOST_DAYS;
use backend::operators::{AuditPage, DisclosureRow, IncidentRow, Opened, Overview, PAGE_ROWS, ReviewRow, Verdict};
use backend::rights::my_data::{class_title, classes};
use domain::rights::AccountState;
use leptos::prelude::*;

use super::fields::{Field, button};
use super::my_data::held_view;
use super::{Desk, Feedback};

/// Names of the console's forms.
const ORDER: &str = "order";
/// See [`ORDER`].
const HAND_OUT: &str = "hand_out";
/// See [`ORDER`].
const REVIEW: &str = "review";
/// See [`ORDER`].
const INCIDENT: &str = "incident";
/// See [`ORDER`].
const CHILD: &str = "child";

fn page(desk: &Desk, title: &str, feedback: &Feedback, main: impl IntoView + 'static) -> String {
    let links: Vec<_> = [
        ("/operators", "Accounts"),
        ("/operators/disclosures", "Authorities"),
        ("/operators/incidents", "Incidents"),
        ("/operators/children", "Reported children"),
        ("/operators/reviews", "Reviews"),
        ("/operators/audit", "Audit chain"),
    ]
    .into_iter()
    .map(|(href, label)| view! { <a href=href>{label}</a> })
    .collect();
    let main = view! { <nav class="tabs" aria-label="Operators">{links}</nav>{main} };
    desk.page(title, "/operators", feedback, main)
}

/// What there is to do, and accounts by their ids.
#[must_use]
pub fn overview_page(desk: &Desk, overview: &Overview, feedback: &Feedback) -> String {
    let review = match &overview.review {
        None => view! { <span class="problem">"there never was one"</span> }.into_any(),
        Some(review) if review.is_overdue => {
            view! { <span class="problem">"overdue since "{desk.time(review.next_due_at)}</span> }.into_any()
        }
        Some(review) => view! { "next by "{desk.time(review.next_due_at)} }.into_any(),
    };
    let rows: Vec<_> = overview
        .accounts
        .iter()
        .map(|account| {
            let state = AccountState::from_stored(&account.state).map_or("unknown", AccountState::as_str);
            let action = format!("/operators/coaches/{}", account.id);
            let label = format!("Reason for looking into account {}", account.id);
            view! {
                <tr>
                    <th scope="row"><code class="break-anywhere">{account.id.to_string()}</code></th>
                    <td>{state}</td>
                    <td>{desk.time(account.created_at)}</td>
                    <td>
                        <form method="post" action=action class="inline">
                            <input type="text" name="reason" aria-label=label placeholder="Reason" maxlength="500" autocomplete="off"/>
                            <button type="submit" class="button quiet">"Look"</button>
                        </form>
                    </td>
                </tr>
            }
        })
        .collect();
    let next = (overview.accounts.len() as u64 == PAGE_ROWS).then(|| overview.accounts.last()).flatten().map(
        |last| view! { <p><a class="button" href=format!("/operators?before={}", last.id)>"Older accounts"</a></p> },
    );
    let main = view! {
        <p class="look">"Your second factor is an authenticator app. Keys of hardware are not supported yet."</p>
        <dl class="numbers">
            <div><dt>"Requests that are not over"</dt><dd>{overview.open_requests.to_string()}</dd></div>
            <div><dt>"Erasures close to their last day"</dt><dd>{overview.late.to_string()}</dd></div>
            <div><dt>"Security review"</dt><dd>{review}</dd></div>
        </dl>
        <section id="accounts">
            <h2>"Accounts"</h2>
            <p>"Who looks into an account says why first; the coach gets to read it."</p>
            <table>
                <thead><tr><th scope="col">"Account"</th><th scope="col">"State"</th><th scope="col">"Since"</th><th scope="col">"Look"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {next}
        </section>
    };
    page(desk, "Operators", feedback, main)
}

/// An account that was looked into.
#[must_use]
pub fn opened_page(desk: &Desk, opened: &Opened, reason: &str) -> String {
    let main = view! {
        <p class="look">"This look is on record, and its coach sees it: “"{reason.to_owned()}"”."</p>
        <p><strong dir="auto">{opened.name.clone()}</strong>", "<span class="break-anywhere" dir="ltr">{opened.email.clone()}</span></p>
        <section id="held">{held_view(&opened.held)}</section>
    };
    page(desk, &format!("Account {}", opened.id), &Feedback::default(), main)
}

/// The register of disclosures.
#[must_use]
pub fn disclosures_page(desk: &Desk, rows: &[DisclosureRow], seat: i32, feedback: &Feedback) -> String {
    let items: Vec<_> = rows
        .iter()
        .map(|row| {
            let names: Vec<String> = serde_json::from_str::<Vec<String>>(&row.classes)
                .unwrap_or_default()
                .iter()
                .map(|class| class_title(class))
                .collect();
            let next = match (row.approved_at, row.asked_by_seat == seat) {
                (None, true) => view! { <p>"Waits for the other operator to agree."</p> }.into_any(),
                (None, false) => button(
                    format!("/operators/disclosures/{}/agree", row.id),
                    "I have read the order and agree",
                    "",
                    Vec::new(),
                ),
                (Some(at), _) => {
                    let action = format!("/operators/disclosures/{}/hand-out", row.id);
                    let given = row.given_at.map(|at| view! { <p>"Handed out "{desk.time(at)}</p> });
                    view! {
                        <p>"Both agreed "{desk.time(at)}"."</p>
                        {given}
                        <details>
                            <summary>"Hand out, of one person"</summary>
                            <form method="post" action=action>
                                {Field::text(HAND_OUT, "coach", "Account, by its id").line(feedback)}
                                {Field::text(HAND_OUT, "email", "Address of her viewer").hint("Leave it empty when the order is about the coach herself.").line(feedback)}
                                <button type="submit" class="button">"Download"</button>
                            </form>
                        </details>
                    }
                    .into_any()
                }
            };
            view! {
                <li>
                    <div>
                        <p><strong>{row.authority.clone()}</strong>", "{row.legal_basis.clone()}", "{desk.time(row.received_at)}</p>
                        <p>{names.join(", ")}{format!("; about {} people. Entered by operator {}.", row.subject_count, row.asked_by_seat)}</p>
                        {next}
                    </div>
                </li>
            }
        })
        .collect();
    let options = classes();
    let main = view! {
        <p class="lead">"Only if the law requires it, only what the order names, and only when both agree. How often is public: "<a href="/privacy/disclosures">"the count"</a>"."</p>
        <ul class="rows">{items}</ul>
        <section>
            <h2>"Enter an order"</h2>
            <form method="post" action="/operators/disclosures">
                {Field::text(ORDER, "authority", "Authority").line(feedback)}
                {Field::text(ORDER, "legal_basis", "Law and number of the order").hint("No names of people.").line(feedback)}
                {Field::text(ORDER, "people", "About how many people").of("number").line(feedback)}
                {Field::text(ORDER, "classes", "Which kinds of data").boxes(feedback, options)}
                <button type="submit" class="button primary">"Enter it"</button>
            </form>
        </section>
    };
    page(desk, "Requests of authorities", feedback, main)
}

/// The log of reviews.
#[must_use]
pub fn reviews_page(desk: &Desk, rows: &[ReviewRow], feedback: &Feedback) -> String {
    let items: Vec<_> = rows
        .iter()
        .map(|row| {
            view! { <li><span>{desk.time(row.held_at)}{format!(", operator {}: ", row.seat)}<span class="break-anywhere">{row.summary.clone()}</span>" Next by "{desk.time(row.next_due_at)}"."</span></li> }
        })
        .collect();
    let hint = "180 days at most, as the policy promises.";
    debug_assert_eq!(MOST_DAYS, 180);
    let main = view! {
        <p class="lead">"How the service is secured is looked at again and again; when a review is overdue, the public page of promises says so."</p>
        <ul class="rows">{items}</ul>
        <section>
            <h2>"Enter a review held today"</h2>
            <form method="post" action="/operators/reviews">
                {Field::text(REVIEW, "summary", "What was looked at, and what came of it").area(feedback)}
                {Field::text(REVIEW, "next_in_days", "Next one within days").of("number").hint(hint).line(feedback)}
                <button type="submit" class="button primary">"Enter it"</button>
            </form>
        </section>
    };
    page(desk, "Security reviews", feedback, main)
}

/// The register of incidents.
#[must_use]
pub fn incidents_page(desk: &Desk, rows: &[IncidentRow], feedback: &Feedback) -> String {
    let items: Vec<_> = rows
        .iter()
        .map(|row| {
            let told = match row.reported_at {
                Some(at) => view! { <p>"The authority was told "{desk.time(at)}"."</p> }.into_any(),
                None => view! {
                    <p class="problem">"Tell the authority by "{desk.time(row.report_due_at)}"."</p>
                    {button(format!("/operators/incidents/{}/reported", row.id), "It was told", "", Vec::new())}
                }
                .into_any(),
            };
            view! {
                <li>
                    <div>
                        <p><strong>{class_title(&row.class)}</strong>", between "{desk.time(row.from_at)}" and "{desk.time(row.to_at)}"; found "{desk.time(row.found_at)}"."</p>
                        <p>{format!("{} accounts were told, {} viewers are concerned.", row.coaches, row.people)}</p>
                        <p class="break-anywhere">{row.summary.clone()}</p>
                        {told}
                    </div>
                </li>
            }
        })
        .collect();
    let note = format!(
        "Whoever it may concern is worked out from the data map; each coach is told at once, and the {REPORT_HOURS} hours begin."
    );
    let main = view! {
        <p class="lead">{note}</p>
        <ul class="rows">{items}</ul>
        <section>
            <h2>"Enter an incident"</h2>
            <form method="post" action="/operators/incidents">
                {Field::text(INCIDENT, "class", "Kind of data").choice(feedback, classes())}
                {Field::text(INCIDENT, "from", "From (UTC)").of("datetime-local").line(feedback)}
                {Field::text(INCIDENT, "to", "To (UTC)").of("datetime-local").line(feedback)}
                {Field::text(INCIDENT, "summary", "What happened, what follows from it, what was done").hint("Every coach concerned reads this. No names of people.").area(feedback)}
                <button type="submit" class="button danger">"Enter it and tell everybody concerned"</button>
            </form>
        </section>
    };
    page(desk, "Security incidents", feedback, main)
}

/// Reported children.
#[must_use]
pub fn children_page(desk: &Desk, reports: &[Report], feedback: &Feedback) -> String {
    let items: Vec<_> = reports
        .iter()
        .map(|report| {
            let hidden = vec![("address", report.address.clone()), ("report", report.id.to_string())];
            view! {
                <li>
                    <div>
                        <p><strong class="break-anywhere" dir="ltr">{report.address.clone()}</strong>", reported "{desk.time(report.received_at)}"; gone by "{desk.time(report.due_at)}"."</p>
                        <p class="break-anywhere" dir="auto">{report.words.clone()}</p>
                        {button("/operators/children".to_owned(), "Remove everything under this address", "danger", hidden)}
                    </div>
                </li>
            }
        })
        .collect();
    let none = items.is_empty().then(|| view! { <p>"No report waits."</p> });
    let main = view! {
        <p class="lead">"One action removes what every coach holds under the address. No papers are asked for, and no name is put on record."</p>
        {none}
        <ul class="rows">{items}</ul>
        <section>
            <h2>"A report that came another way"</h2>
            <form method="post" action="/operators/children">
                {Field::text(CHILD, "address", "The child's e-mail address").of("email").line(feedback)}
                <button type="submit" class="button danger">"Remove everything under this address"</button>
            </form>
        </section>
    };
    page(desk, "Reported children", feedback, main)
}

/// The audit chain.
#[must_use]
pub fn audit_page(desk: &Desk, audit: &AuditPage) -> String {
    let verdict = match &audit.verdict {
        Verdict::Whole { entries, .. } => {
            view! { <p class="good" role="status">{format!("The chain is whole: {entries} entries, each naming the one before.")}</p> }.into_any()
        }
        Verdict::Broken { seq } => {
            view! { <p class="problem general" role="alert">{format!("The chain breaks at entry {seq}: something was changed, taken out or put in.")}</p> }.into_any()
        }
    };
    let rows: Vec<_> = audit
        .entries
        .iter()
        .map(|entry| {
            view! {
                <tr>
                    <td class="number">{entry.seq.to_string()}</td>
                    <td>{desk.time(entry.at)}</td>
                    <td>{entry.event.replace('_', " ")}</td>
                    <td>{entry.actor_role.clone()}</td>
                    <td>{entry.class.clone()}</td>
                    <td class="number">{entry.count_bucket.clone()}</td>
                </tr>
            }
        })
        .collect();
    let next = (audit.entries.len() as u64 == PAGE_ROWS)
        .then(|| audit.entries.last())
        .flatten()
        .map(|last| view! { <p><a class="button" href=format!("/operators/audit?after={}", last.seq)>"Later entries"</a></p> });
    let main = view! {
        {verdict}
        <div class="table" role="region" aria-label="Entries of the chain" tabindex="0"><table>
            <thead><tr><th scope="col" class="number">"No."</th><th scope="col">"When"</th><th scope="col">"What"</th><th scope="col">"By"</th><th scope="col">"Kind of data"</th><th scope="col" class="number">"How much"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table></div>
        {next}
    };
    page(desk, "Audit chain", &Feedback::default(), main)
}
