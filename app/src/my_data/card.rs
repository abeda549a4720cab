//! One coach: what she holds, what for, and what can be asked for.

use domain::archive::ArchiveView;
use domain::my_data::{
    AgreementTold, BookingTold, Card, ClassTold, Erased, ObjectionTold, RequestTold, RestrictionTold, ground_in_words,
    scope_in_words,
};
use domain::rights::{ObjectionScope, RestrictionGround, SubjectState};
use leptos::prelude::*;

use super::PAGE;

/// Grounds a person can give; an objection makes its own.
const GROUNDS: [RestrictionGround; 3] =
    [RestrictionGround::Accuracy, RestrictionGround::Unlawful, RestrictionGround::Claim];
/// The form's word for every coach at once.
const ALL: &str = "all";

/// A form that asks for one thing at one coach, or at all.
fn wish(coach: &str, wish: &'static str, fields: impl IntoView + 'static, label: &str) -> AnyView {
    view! {
        <form class="wish" method="post" action="/my-data/act">
            <input type="hidden" name="wish" value=wish/>
            <input type="hidden" name="coach" value=coach.to_owned()/>
            {fields}
            <button class="button" type="submit">{label.to_owned()}</button>
        </form>
    }
    .into_any()
}

fn hidden(name: &'static str, value: &str) -> AnyView {
    view! { <input type="hidden" name=name value=value.to_owned()/> }.into_any()
}

/// What can be asked of every coach at once.
pub(super) fn everywhere() -> AnyView {
    view! {
        <section class="my-data-card" aria-labelledby="everywhere">
            <h2 id="everywhere">"All of them at once"</h2>
            <p class="quiet">"The same for every coach below."</p>
            <div class="wishes">
                {wish(ALL, "unsubscribe", (), "Unsubscribe everywhere")}
                <a class="button" href="/my-data/erase?coach=all">"Erase everything everywhere …"</a>
            </div>
            <details>
                <summary>"Keep it everywhere, and do not use it"</summary>
                {wish(ALL, "restrict", grounds("all"), "Restrict everywhere")}
            </details>
            <details>
                <summary>"Object everywhere"</summary>
                {wish(ALL, "object", objecting("all"), "Object everywhere")}
            </details>
        </section>
    }
    .into_any()
}

fn grounds(of: &str) -> AnyView {
    let choices: Vec<_> = GROUNDS
        .iter()
        .enumerate()
        .map(|(index, ground)| {
            let id = format!("ground-{of}-{index}");
            view! {
                <p class="choice">
                    <input type="radio" name="ground" id=id.clone() value=ground.as_str() checked=index == 0/>
                    <label for=id>{ground_in_words(*ground)}</label>
                </p>
            }
        })
        .collect();
    view! { <fieldset><legend>"Why"</legend>{choices}</fieldset> }.into_any()
}

fn objecting(of: &str) -> AnyView {
    let choices: Vec<_> = ObjectionScope::ALL
        .iter()
        .enumerate()
        .map(|(index, scope)| {
            let id = format!("scope-{of}-{index}");
            view! {
                <p class="choice">
                    <input type="radio" name="scope" id=id.clone() value=scope.as_str() checked=index == 0/>
                    <label for=id>{scope_in_words(*scope)}</label>
                </p>
            }
        })
        .collect();
    let id = format!("words-{of}");
    view! {
        <fieldset><legend>"To what"</legend>{choices}</fieldset>
        <div class="field">
            <label for=id.clone()>"Why"<span class="quiet">" (optional)"</span></label>
            <textarea id=id name="words" rows="3" maxlength="1000"></textarea>
        </div>
        <p class="quiet">
            "Against mail it counts at once and for good. Anything else rests until the coach has answered, 30 days at most; "
            "without an answer you are right."
        </p>
    }
    .into_any()
}

/// The card of one coach.
pub(super) fn card(card: &Card) -> AnyView {
    let id = card.coach.to_string();
    let heading = format!("coach-{id}");
    let state = match card.state {
        SubjectState::Active => None,
        SubjectState::Restricted => Some("Kept and not used"),
        SubjectState::Erasing => Some("Being erased"),
    };
    let badge = state.map(|text| view! { <p><span class="badge">{text}</span></p> });
    let rest = (card.state != SubjectState::Erasing).then(|| held(card, &id));
    view! {
        <section class="my-data-card" id=format!("at-{id}") aria-labelledby=heading.clone()>
            <h2 id=heading.clone() dir="auto">{card.coach_name.clone()}</h2>
            {badge}
            <p class="quiet">
                "Holds something about you since "{card.since.utc_text()}". She decides what it is used for: "
                <a class="break-anywhere" href=format!("mailto:{}", card.coach_email)>{card.coach_email.clone()}</a>
            </p>
            {requests(&card.requests)}
            {rest}
        </section>
    }
    .into_any()
}

fn held(card: &Card, id: &str) -> AnyView {
    let bookings: Vec<_> = card.bookings.iter().map(booking).collect();
    let classes: Vec<_> = card.classes.iter().map(class).collect();
    let recipients: Vec<_> = card.recipients.iter().map(|who| view! { <li>{who.clone()}</li> }).collect();
    view! {
        {bookings}
        <details>
            <summary>"Every value, what it is for, and until when"</summary>
            {classes}
        </details>
        <details>
            <summary>"Who got something"</summary>
            <ul>{recipients}</ul>
        </details>
        {agreements(&card.agreements, id)}
        {restrictions(&card.restrictions, id)}
        {objections(&card.objections)}
        {archives(&card.archives, id)}
        {wishes(card, id)}
    }
    .into_any()
}

fn booking(booking: &BookingTold) -> AnyView {
    let history: Vec<_> = booking.history.iter().map(|line| view! { <li>{line.clone()}</li> }).collect();
    view! {
        <h3 dir="auto">{booking.title.clone()}</h3>
        <ul>{history}</ul>
        <p class="quiet">{booking.kept.clone()}</p>
    }
    .into_any()
}

fn class(class: &ClassTold) -> AnyView {
    let facts: Vec<_> = class
        .facts
        .iter()
        .map(|(label, value)| {
            view! { <dt>{label.clone()}</dt><dd class="break-anywhere" dir="auto">{value.clone()}</dd> }
        })
        .collect();
    let lines: Vec<_> = class
        .purposes
        .iter()
        .chain(&class.bases)
        .chain(&class.kept)
        .map(|line| view! { <li>{line.clone()}</li> })
        .collect();
    view! {
        <h3>{class.title.clone()}</h3>
        <dl class="facts">{facts}</dl>
        <ul class="quiet">{lines}</ul>
    }
    .into_any()
}

fn agreements(agreements: &[AgreementTold], id: &str) -> Option<AnyView> {
    let rows: Vec<_> = agreements
        .iter()
        .map(|agreed| {
            let taken_back = agreed.withdrawn_at.map(|at| format!(" Taken back on {}.", at.utc_text()));
            view! {
                <li>
                    <q dir="auto">{agreed.wording.clone()}</q>" Agreed on "{agreed.given_at.utc_text()}"."{taken_back}
                </li>
            }
        })
        .collect();
    let mut purposes: Vec<&str> = agreements
        .iter()
        .filter(|agreed| agreed.withdrawn_at.is_none())
        .map(|agreed| agreed.purpose.as_str())
        .collect();
    purposes.sort_unstable();
    purposes.dedup();
    let several = purposes.len() > 1;
    // One press, as giving it was one.
    let forms: Vec<_> = purposes
        .into_iter()
        .map(|purpose| {
            let label = if several {
                format!("Take back what I agreed to for “{}”", purpose.replace('_', " "))
            } else {
                "Take my agreement back".to_owned()
            };
            wish(id, "withdraw", hidden("purpose", purpose), &label)
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <h3>"What you agreed to"</h3><ul>{rows}</ul>{forms} }.into_any())
}

fn restrictions(restrictions: &[RestrictionTold], id: &str) -> Option<AnyView> {
    let rows: Vec<_> = restrictions
        .iter()
        .map(|told| {
            let ends = told.ends_announced.map(|at| format!(" Its end was announced on {}.", at.utc_text()));
            let label = format!("End this restriction ({})", ground_in_words(told.ground));
            let end = (told.ground != RestrictionGround::Reported)
                .then(|| wish(id, "lift", hidden("ground", told.ground.as_str()), &label));
            let reported = (told.ground == RestrictionGround::Reported)
                .then_some(" If that is not true, answer the mail you got, and everything stays as it was.");
            view! {
                <li>
                    "Since "{told.since.utc_text()}": "{ground_in_words(told.ground)}"."{ends}{reported}
                    {end}
                </li>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <h3>"Kept and not used"</h3><ul>{rows}</ul> }.into_any())
}

fn objections(objections: &[ObjectionTold]) -> Option<AnyView> {
    let rows: Vec<_> = objections
        .iter()
        .map(|told| {
            let stands = match told.decision.as_deref() {
                None => format!("waits for the coach's answer until {}", told.due_at.utc_text()),
                Some("upheld") => "upheld".to_owned(),
                Some("withdrawn") => "taken back by you".to_owned(),
                Some(_) => "answered: the coach has grounds that weigh more".to_owned(),
            };
            view! { <li>{format!("{}: {}, {stands}.", told.made_at.utc_text(), scope_in_words(told.scope))}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <h3>"Objections"</h3><ul>{rows}</ul> }.into_any())
}

fn requests(requests: &[RequestTold]) -> Option<AnyView> {
    let rows: Vec<_> = requests
        .iter()
        .map(|told| {
            let text = format!(
                "{}: {}. Asked on {}, due by {}.",
                told.what,
                told.state,
                told.received_at.utc_text(),
                told.due_at.utc_text()
            );
            view! { <li>{text}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <h3>"Under way"</h3><ul>{rows}</ul> }.into_any())
}

/// A form about an archive.
fn archive_form(coach: &str, archive: Option<String>, step: &'static str, label: &'static str) -> AnyView {
    view! {
        <form class="wish" method="post" action="/my-data/archive">
            <input type="hidden" name="coach" value=coach.to_owned()/>
            <input type="hidden" name="step" value=step/>
            {archive.map(|id| hidden("archive", &id))}
            <button class="button" type="submit">{label}</button>
        </form>
    }
    .into_any()
}

fn archives(archives: &[ArchiveView], coach: &str) -> AnyView {
    let rows: Vec<_> = archives
        .iter()
        .map(|archive| {
            let id = archive.id.to_string();
            let text = format!(
                "Asked for on {}: {}, {}.",
                archive.created_at.utc_text(),
                archive.state.label(),
                if archive.state.is_under_way() {
                    format!("{} % ({})", archive.percent, archive.step)
                } else {
                    format!("here until {}", archive.expires_at.utc_text())
                }
            );
            let fetch = archive
                .state
                .can_be_fetched()
                .then(|| archive_form(coach, Some(id.clone()), "fetch", "Download the archive"));
            let end = (archive.state.can_be_fetched() || archive.state.is_under_way())
                .then(|| archive_form(coach, Some(id.clone()), "end", "End it now"));
            view! { <li>{text}<div class="wishes">{fetch}{end}</div></li> }
        })
        .collect();
    let list = (!rows.is_empty()).then(|| view! { <ul>{rows}</ul> });
    view! {
        <h3>"Take it along"</h3>
        <p class="quiet">
            "An archive of everything this coach holds about you, for your eyes and for another service: ZIP with JSON and "
            "CSV, one a day. A mail says when it is written; it stays seven days."
        </p>
        {list}
        {archive_form(coach, None, "ask", "Make an archive")}
    }
    .into_any()
}

fn wishes(card: &Card, id: &str) -> AnyView {
    let unsubscribed = if card.is_unsubscribed {
        view! { <p class="quiet">"You get no mail from this coach that is not about your own registrations."</p> }
            .into_any()
    } else {
        wish(id, "unsubscribe", (), "Unsubscribe")
    };
    view! {
        <h3>"What do you want?"</h3>
        <div class="wishes">
            <a class="button" href=format!("/my-data/correct?coach={id}")>"Correct something …"</a>
            {unsubscribed}
            <a class="button" href=format!("/my-data/erase?coach={id}")>"Erase everything …"</a>
        </div>
        <details>
            <summary>"Keep it, and do not use it"</summary>
            {wish(id, "restrict", grounds(id), "Restrict")}
        </details>
        <details>
            <summary>"Object to a use"</summary>
            {wish(id, "object", objecting(id), "Object")}
        </details>
    }
    .into_any()
}

/// Erasures of the last ninety days.
pub(super) fn erased(erased: &[Erased]) -> Option<AnyView> {
    let rows: Vec<_> = erased
        .iter()
        .map(|told| {
            let text = format!(
                "{}: asked on {}, {}, due by {}.",
                told.coach_name,
                told.received_at.utc_text(),
                told.state,
                told.due_at.utc_text()
            );
            let receipt = told.receipt_until.map(|until| {
                view! {
                    " "<a href=format!("{PAGE}/receipt?request={}", told.request)>"Receipt"</a>
                    <span class="quiet">" (here until "{until.utc_text()}")"</span>
                }
            });
            view! { <li><span dir="auto">{text}</span>{receipt}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="my-data-card" aria-labelledby="erased">
                <h2 id="erased">"Erased"</h2>
                <ul>{rows}</ul>
                <p class="quiet">
                    "The receipt that was mailed to you holds one number more: it alone proves that it is about you."
                </p>
            </section>
        }
        .into_any()
    })
}
