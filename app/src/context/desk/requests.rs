//! Requests of viewers, as their coach sees them: when they are due, what she can answer, and what she may keep.

use backend::rights::handling::{HoldLine, OpenObjection, ViewerRequest, Wording};
use backend::rights::my_data::class_title;
use domain::holds::HOLDABLE_CLASSES;
use domain::rights::{HoldGround, ObjectionScope, RightKind};
use leptos::prelude::*;

use super::fields::{Field, button};
use super::{Desk, Feedback};

/// The form of a hold.
pub const HOLD_FORM: &str = "hold";

/// Everything the page shows.
pub struct Handling {
    /// Requests, newest first.
    pub requests: Vec<ViewerRequest>,
    /// Objections that wait.
    pub objections: Vec<OpenObjection>,
    /// Holds that stand.
    pub holds: Vec<HoldLine>,
}

/// A right, in the words of somebody who asks for it.
#[must_use]
pub const fn right_text(kind: RightKind) -> &'static str {
    match kind {
        RightKind::Access => "see everything and take it along",
        RightKind::Rectify => "correct something",
        RightKind::Erase => "be forgotten",
        RightKind::Restrict => "kept, and not used",
        RightKind::Lift => "used again",
        RightKind::Object => "object to a use",
        RightKind::Withdraw => "take an agreement back",
        RightKind::Minor => "a child was reported",
        RightKind::Complaint => "a complaint",
    }
}

/// The page.
#[must_use]
pub fn requests_page(desk: &Desk, handling: &Handling, feedback: &Feedback) -> String {
    let main = view! {
        <p class="lead" id="tldr">
            "People registered with you use their rights by themselves; we carry it out in your name, as you agreed, and tell you. Who it is does not stand here. You decide objections, and may keep something only for a reason of the law."
        </p>
        {objections(desk, &handling.objections, feedback)}
        {table(desk, &handling.requests)}
        {holds(desk, &handling.holds, feedback)}
        <section>
            <h2>"What they agreed to"</h2>
            <p><a href="/dashboard/consent-texts">"Every wording of your forms, with its versions"</a></p>
        </section>
    };
    desk.page("Requests of your viewers", "/dashboard/requests", feedback, main)
}

fn objections(desk: &Desk, open: &[OpenObjection], feedback: &Feedback) -> Option<AnyView> {
    let items: Vec<_> = open
        .iter()
        .map(|objection| {
            let to = match objection.scope {
                ObjectionScope::Marketing => "to mail that is not about their registration",
                ObjectionScope::Analytics => "to being measured while watching",
                ObjectionScope::All => "to any use of their data",
            };
            let words = (!objection.words.is_empty())
                .then(|| view! { <blockquote class="break-anywhere" dir="auto">{objection.words.clone()}</blockquote> });
            let action = format!("/dashboard/requests/objections/{}", objection.id);
            let id = format!("reasons-{}", objection.id);
            let typed = (feedback.form == objection.id.to_string())
                .then(|| feedback.typed.iter().find(|(name, _)| name == "reasons").map(|(_, value)| value.clone()))
                .flatten()
                .unwrap_or_default();
            view! {
                <li class="objection">
                    <p>"Somebody objects "<strong>{to}</strong>". Asked "{desk.time(objection.made_at)}". Without an answer by "{desk.time(objection.answer_due_at)}" it is upheld. Until then their data rests."</p>
                    {words}
                    <form method="post" action=action>
                        <div class="field">
                            <label for=id.clone()>"Your reasons"</label>
                            <p class="hint">"The person gets to read them. To go on using the data they have to weigh more than what stands above."</p>
                            <div class="control"><textarea id=id name="reasons" rows="3" inner_html=crate::forms::area_text(&typed)></textarea></div>
                        </div>
                        <p class="side-by-side">
                            <button type="submit" class="button primary" name="decision" value="uphold">"Uphold it"</button>
                            <button type="submit" class="button" name="decision" value="reject">"My reasons weigh more"</button>
                        </p>
                    </form>
                </li>
            }
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! { <section class="attention" id="objections"><h2>"Objections that wait for you"</h2><ul class="rows">{items}</ul></section> }
            .into_any()
    })
}

fn table(desk: &Desk, requests: &[ViewerRequest]) -> AnyView {
    let rows: Vec<_> = requests
        .iter()
        .map(|request| {
            let end = match request.completed_at {
                Some(at) => view! { "over since "{desk.time(at)} }.into_any(),
                None => view! { "due by "{desk.time(request.due_at)} }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{right_text(request.kind)}</th>
                    <td>{request.state.label()}</td>
                    <td>{desk.time(request.received_at)}</td>
                    <td>{end}</td>
                </tr>
            }
        })
        .collect();
    let table = if rows.is_empty() {
        view! { <p>"Nobody has asked for anything yet. When somebody does, you get a mail, and it stands here with its date."</p> }.into_any()
    } else {
        view! {
            <table>
                <thead><tr><th scope="col">"Asked for"</th><th scope="col">"State"</th><th scope="col">"Since"</th><th scope="col">"Until"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! { <section id="requests"><h2>"Requests"</h2>{table}</section> }.into_any()
}

fn holds(desk: &Desk, holds: &[HoldLine], feedback: &Feedback) -> AnyView {
    let rows: Vec<_> = holds
        .iter()
        .map(|hold| {
            let end = hold.is_viewers.then(|| {
                button(format!("/dashboard/requests/holds/{}/release", hold.id), "End it now", "quiet", Vec::new())
            });
            let whose = if hold.is_viewers { "of a viewer" } else { "of your own account" };
            view! {
                <li>
                    <span><strong>{hold.classes.join(", ")}</strong>" "{whose}": "{hold.ground.clone()}". Until "{desk.time(hold.until)}"."</span>
                    {end}
                </li>
            }
        })
        .collect();
    let list = (!rows.is_empty()).then(|| view! { <ul class="rows">{rows}</ul> });
    let classes = HOLDABLE_CLASSES.iter().map(|class| ((*class).to_owned(), class_title(class))).collect();
    let grounds = HoldGround::ALL
        .iter()
        .filter(|ground| ground.is_for_viewers())
        .map(|ground| {
            let days = ground.longest_days().unwrap_or_default();
            (ground.as_str().to_owned(), format!("{} ({days} days at most)", ground.label()))
        })
        .collect();
    view! {
        <section id="holds">
            <h2>"What you have to keep"</h2>
            <p>"When somebody asks to be forgotten, everything goes, but what the law lets you keep. Name it before; the person is told, sees it with its last day, and everything else goes. On that day it goes by itself."</p>
            {list}
            <details open={feedback.form == HOLD_FORM}>
                <summary>"Keep something of somebody"</summary>
                <form method="post" action="/dashboard/requests/holds">
                    {Field::text(HOLD_FORM, "email", "E-mail address of the person").of("email").line(feedback)}
                    {Field::text(HOLD_FORM, "ground", "Why").choice(feedback, grounds)}
                    {Field::text(HOLD_FORM, "classes", "What exactly").boxes(feedback, classes)}
                    {Field::text(HOLD_FORM, "until", "Until").of("date").line(feedback)}
                    <button type="submit" class="button">"Keep it until then"</button>
                </form>
            </details>
        </section>
    }
    .into_any()
}

/// Every wording with its versions.
#[must_use]
pub fn wordings_page(desk: &Desk, wordings: &[Wording]) -> String {
    let items: Vec<_> = wordings
        .iter()
        .map(|wording| {
            let state = if wording.is_current { "in use" } else { "replaced" };
            view! {
                <li>
                    <span>
                        <strong dir="auto">{wording.title.clone()}</strong>{format!(", version {} ", wording.version)}
                        <span class="badge">{state}</span><br/>
                        <span class="quiet">"Since "{desk.time(wording.since)}{format!(" · {} people agreed, {} of them took it back", wording.agreed, wording.withdrawn)}</span><br/>
                        <span class="break-anywhere" dir="auto">{wording.text.clone()}</span>
                    </span>
                </li>
            }
        })
        .collect();
    let list = if items.is_empty() {
        view! { <p>"There is none yet: the first one is kept when a webinar's form has a wording to agree to. You write it in the webinar's settings."</p> }.into_any()
    } else {
        view! { <ul class="rows">{items}</ul> }.into_any()
    };
    let main = view! {
        <p class="lead">"Changing a wording makes a new version. Who agreed to an older one has agreed to that, and this is kept as proof."</p>
        {list}
    };
    desk.page("What your viewers agreed to", "/dashboard/requests", &Feedback::default(), main)
}
