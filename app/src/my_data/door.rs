//! The way in: an address, a mail, and what the mail carries.

use domain::Refusal;
use domain::my_data::{Errand, PROOF_MINUTES};
use leptos::prelude::*;

use super::{notice, page};

/// An address, with what was wrong with it.
fn address_field(id: &'static str, typed: &str, refusal: Option<&Refusal>) -> AnyView {
    let refusal = refusal.filter(|refusal| refusal.field.as_deref() == Some("email"));
    let error = format!("{id}-error");
    let message = refusal.map(|refusal| {
        view! { <p class="field-error" id=error.clone() role="alert">{refusal.message.clone()}</p> }
    });
    view! {
        <div class="field">
            <label for=id>"E-mail address"</label>
            <input
                id=id
                name="email"
                type="email"
                autocomplete="email"
                dir="ltr"
                required
                value=typed.to_owned()
                aria-invalid=refusal.map(|_| "true")
                aria-describedby=refusal.map(|_| error.clone())
            />
            {message}
        </div>
    }
    .into_any()
}

fn code_field(refusal: Option<&Refusal>) -> AnyView {
    let refusal = refusal.filter(|refusal| refusal.field.as_deref() == Some("code"));
    let message = refusal.map(|refusal| {
        view! { <p class="field-error" id="code-error" role="alert">{refusal.message.clone()}</p> }
    });
    view! {
        <div class="field">
            <label for="code">"Code, eight digits"</label>
            <input
                id="code"
                name="code"
                type="text"
                inputmode="numeric"
                autocomplete="one-time-code"
                dir="ltr"
                required
                aria-invalid=refusal.map(|_| "true")
                aria-describedby=refusal.map(|_| "code-error")
            />
            {message}
        </div>
    }
    .into_any()
}

/// Refused for a reason no field has: said above the form.
fn general(refusal: Option<&Refusal>) -> Option<AnyView> {
    let refusal = refusal.filter(|refusal| !matches!(refusal.field.as_deref(), Some("email" | "code")));
    notice(refusal.map(|refusal| refusal.message.as_str()), false)
}

/// The form for an address.
#[must_use]
pub fn ask_page(css: &str, contact: &str, typed: &str, refusal: Option<&Refusal>) -> String {
    let errands: Vec<_> = [
        (Errand::AgentAccess, "that they see everything held about them"),
        (Errand::AgentErase, "that everything held about them is erased"),
        (Errand::AgentOptOut, "that all mail stops that is not about their own registrations"),
    ]
    .into_iter()
    .map(|(errand, label)| view! { <option value=errand.as_str()>{label}</option> })
    .collect();
    let main = view! {
        <h1>"Your data"</h1>
        <p>
            "See what the coaches who run webinars here hold about you, take it along, correct it, stop its use, or have it "
            "erased. No account and no papers: a mail to your address is the only proof."
        </p>
        {general(refusal)}
        <form class="registration-form" method="post" action="/my-data" novalidate>
            {address_field("my-data-email", typed, refusal)}
            <button class="button primary" type="submit">"Send me the mail"</button>
        </form>
        <p class="quiet">
            "You get a mail whether or not anything is held, and nobody else learns which. At most three mails an hour go "
            "to one address."
        </p>
        <details>
            <summary>"I act for somebody else"</summary>
            <form class="registration-form" method="post" action="/my-data" novalidate>
                <p class="quiet">
                    "An authorised agent may ask in somebody's name. We ask that person by mail, do nothing until they "
                    "confirm it themselves, and answer them, not you. No power of attorney is needed for that, and none "
                    "replaces it."
                </p>
                <div class="field">
                    <label for="my-data-agent-email">"Their e-mail address"</label>
                    <input id="my-data-agent-email" name="email" type="email" autocomplete="off" dir="ltr" required/>
                </div>
                <div class="field">
                    <label for="my-data-errand">"What you ask for in their name"</label>
                    <select id="my-data-errand" name="errand">{errands}</select>
                </div>
                <button class="button" type="submit">"Ask them"</button>
            </form>
        </details>
    };
    page(css, "Your data", contact, main)
}

/// The answer to every address, and the form for the code.
#[must_use]
pub fn sent_page(css: &str, contact: &str, email: &str, refusal: Option<&Refusal>) -> String {
    let main = view! {
        <h1>"Look into your mailbox"</h1>
        <p>
            "A mail is on its way. Press its button, or type its code here; both work once, for "{PROOF_MINUTES}
            " minutes. If it is not there soon, please look among the unwanted mail."
        </p>
        {general(refusal)}
        <form class="registration-form" method="post" action="/my-data/prove" novalidate>
            <input type="hidden" name="email" value=email.to_owned()/>
            {code_field(refusal)}
            <button class="button primary" type="submit">"Open my data"</button>
        </form>
        <p class="quiet"><a href="/my-data">"Another address, or another mail"</a></p>
    };
    page(css, "Look into your mailbox", contact, main)
}

/// Puts what stands behind `#` into the form, takes it out of the address, and shows the button. It presses nothing:
/// programs that look through mail run scripts, too.
const SCRIPT: &str = "(()=>{const token=location.hash.slice(1);if(!token)return;const form=document.getElementById(\"by-link\");\
form.elements.token.value=token;form.hidden=false;document.getElementById(\"by-code\").hidden=true;\
history.replaceState(null,\"\",location.pathname)})()";

/// Where the mail's button leads: one press more with JavaScript, the code without.
#[must_use]
pub fn prove_page(css: &str, contact: &str, nonce: &str, email: &str, refusal: Option<&Refusal>) -> String {
    let main = view! {
        <h1>"Open your data"</h1>
        {general(refusal)}
        <form class="registration-form" id="by-link" method="post" action="/my-data/prove" hidden>
            <p>"Your mail brought you here. One press, and this browser sees your data for half an hour."</p>
            <input type="hidden" name="token" value=""/>
            <button class="button primary" type="submit">"Open my data"</button>
        </form>
        <div class="registration-form" id="by-code">
            <p>"Type the address the mail went to, and the code it holds."</p>
            <form class="registration-form" method="post" action="/my-data/prove" novalidate>
                {address_field("my-data-email", email, refusal)}
                {code_field(refusal)}
                <button class="button primary" type="submit">"Open my data"</button>
            </form>
        </div>
        <p class="quiet"><a href="/my-data">"Ask for a new mail"</a></p>
        <script nonce=nonce.to_owned() inner_html=SCRIPT></script>
    };
    page(css, "Open your data", contact, main)
}
