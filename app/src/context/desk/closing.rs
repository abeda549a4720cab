//! Closing an account: what goes, what stays and why, three exits, and the proof that it is really she (promise P28).

use backend::rights::my_data::Preview;
use domain::leaving::Exit;
use leptos::prelude::*;

use super::fields::{Field, button};
use super::{Desk, Feedback};

/// The form's name.
pub const FORM: &str = "close";

/// The page. `token` is what the mailed link brought along, for an account without a second factor.
#[must_use]
pub fn close_page(desk: &Desk, preview: &Preview, token: &str, feedback: &Feedback) -> String {
    let going: Vec<_> = preview
        .going
        .iter()
        .map(|(words, count)| view! { <div><dt>{words.clone()}</dt><dd>{count.to_string()}</dd></div> })
        .collect();
    let kept: Vec<_> = preview
        .kept
        .iter()
        .map(|kept| {
            view! { <li><span><strong>{kept.what.clone()}</strong>": "{kept.why.clone()}". Until "{desk.time(kept.until)}"."</span></li> }
        })
        .collect();
    let (unreadable, gone) = preview.backups;
    let main = view! {
        <p class="lead">"This is what closing your account means. Nothing happens before you confirm at the end of the page."</p>
        <section id="going">
            <h2>"What goes"</h2>
            <p>"Everything in your account, and everything about everybody registered with you:"</p>
            <dl class="numbers">{going}</dl>
        </section>
        <section id="kept">
            <h2>"What stays, and why"</h2>
            <ul class="rows">{kept}</ul>
            <p>"Copies in backups cannot be read from "{desk.time(unreadable)}" on, if everything were deleted now, and the last one is gone by "{desk.time(gone)}"."</p>
        </section>
        {confirmation(desk, preview, token, feedback)}
    };
    desk.page("Close your account", "/dashboard/my-data", feedback, main)
}

fn confirmation(desk: &Desk, preview: &Preview, token: &str, feedback: &Feedback) -> AnyView {
    if let Some(until) = preview.cools_until {
        return view! {
            <section id="cooling">
                <h2>"In a few days"</h2>
                <p class="look">"Your password or address was changed within the last three days. So that nobody who got into your account can take it away from you, it can be closed from "{desk.time(until)}" on."</p>
            </section>
        }
        .into_any();
    }
    if !preview.second_factor && token.is_empty() {
        let mail = button("/dashboard/my-data/close-link".to_owned(), "Mail me the link", "primary", Vec::new());
        return view! {
            <section id="link">
                <h2>"Prove that it is you"</h2>
                <p>"You have no second factor, so we mail you a link first. It opens this page again, for 15 minutes, once."</p>
                {mail}
                <p><a href="/dashboard/my-data">"Back, I stay"</a></p>
            </section>
        }
        .into_any();
    }
    let exits: Vec<_> = Exit::ALL
        .iter()
        .copied()
        .filter(|exit| exit.can_be_taken_from(preview.state))
        .map(|exit| exit_choice(exit, preview, feedback))
        .collect();
    let factor = if preview.second_factor {
        Field::text(FORM, "code", "The six digits your app shows now, or a recovery code")
            .autocomplete("one-time-code")
            .line(feedback)
    } else {
        view! { <input type="hidden" name="token" value=token.to_owned()/> }.into_any()
    };
    let name_label = format!("Type “{}” to confirm", preview.name);
    let name_problem =
        feedback.problem_with(FORM, "name").map(|text| view! { <p class="problem" id="close-name-problem">{text}</p> });
    view! {
        <section id="confirm">
            <h2>"Which way out?"</h2>
            <form method="post" action="/dashboard/my-data/close">
                <fieldset class="field exits"><legend class="hidden">"Which way out?"</legend>{exits}</fieldset>
                {Field::text(FORM, "password", "Your password").of("password").autocomplete("current-password").line(feedback)}
                {factor}
                <div class="field">
                    <label for="close-name">{name_label}</label>
                    <div class="control">
                        <input id="close-name" name="name" type="text" autocomplete="off" dir="auto" value=feedback.typed(FORM, "name")
                            aria-invalid=name_problem.is_some().then_some("true") aria-describedby=name_problem.is_some().then_some("close-name-problem")/>
                    </div>
                    {name_problem}
                </div>
                <button type="submit" class="button danger">"Close my account"</button>
            </form>
            <p><a href="/dashboard/my-data">"Back, I stay"</a></p>
        </section>
    }
    .into_any()
}

fn exit_choice(exit: Exit, preview: &Preview, feedback: &Feedback) -> AnyView {
    let (label, words) = match exit {
        Exit::Later => (
            "Delete in 14 days",
            "Your pages close now. For 14 days you can call it off with one button; then everything is deleted, on day 30 at the latest.",
        ),
        Exit::TakeAlong => (
            "Close and take my data",
            "Your pages close now. For 30 days you can still read and take along everything; then it is deleted.",
        ),
        Exit::Now => {
            ("Delete now", "It begins at once, and nothing can call it off. You get a signed receipt by mail.")
        }
    };
    let first = Exit::ALL.iter().copied().find(|one| one.can_be_taken_from(preview.state));
    let chosen = feedback.typed(FORM, "exit").and_then(|word| Exit::from_stored(&word)).or(first);
    view! {
        <div class="exit">
            <label>
                <input type="radio" name="exit" value=exit.as_str() checked={chosen == Some(exit)} required=true/>
                <span><strong>{label}</strong><br/><span class="quiet">{words}</span></span>
            </label>
        </div>
    }
    .into_any()
}
