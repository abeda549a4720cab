//! The two forms by which anybody writes to the operators: a complaint, and a report about a child. Plain HTML; what was
//! typed comes back with what is wrong, field by field.

use domain::Refusal;
use domain::messages::{ChildReportForm, ComplaintForm};
use domain::rights::{AUTHORITIES, Regime};
use leptos::prelude::*;

use super::prose::{Around, framed};
use crate::forms::area_text;

/// Whose law, in words.
const LAWS: [(Regime, &str); 4] = [
    (Regime::Gdpr, "In the European Economic Area"),
    (Regime::Uk, "In the United Kingdom"),
    (Regime::California, "In California"),
    (Regime::Other, "Somewhere else"),
];

/// What a page of a form shows.
pub enum Shown<'a> {
    /// The form, and why it was not taken.
    Form(Option<&'a Refusal>),
    /// That it was taken, under a reference.
    Taken(&'a str),
}

fn of_field<'a>(refusal: Option<&'a Refusal>, name: &str) -> Option<&'a str> {
    refusal.filter(|refusal| refusal.field.as_deref() == Some(name)).map(|refusal| refusal.message.as_str())
}

/// Label, control, hint and problem of one field.
struct Field<'a> {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    is_required: bool,
    problem: Option<&'a str>,
}

impl Field<'_> {
    fn described_by(&self) -> Option<String> {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let problem = self.problem.map(|_| format!("{}-problem", self.name));
        let ids: Vec<String> = hint.into_iter().chain(problem).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn around(&self, control: AnyView) -> AnyView {
        let hint =
            (!self.hint.is_empty()).then(|| view! { <p class="hint" id=format!("{}-hint", self.name)>{self.hint}</p> });
        let problem = self
            .problem
            .map(|text| view! { <p class="problem" id=format!("{}-problem", self.name)>{text.to_owned()}</p> });
        let optional = (!self.is_required).then(|| view! { <span class="quiet">" (optional)"</span> });
        view! { <div class="field"><label for=self.name>{self.label}{optional}</label>{hint}{control}{problem}</div> }
            .into_any()
    }

    fn address(&self, value: &str, autocomplete: &'static str) -> AnyView {
        let control = view! {
            <input id=self.name name=self.name type="text" inputmode="email" autocomplete=autocomplete value=value.to_owned()
                aria-invalid=self.problem.map(|_| "true") aria-describedby=self.described_by()/>
        };
        self.around(control.into_any())
    }

    fn words(&self, value: &str) -> AnyView {
        let control = view! {
            <textarea id=self.name name=self.name rows="8" aria-invalid=self.problem.map(|_| "true")
                aria-describedby=self.described_by() inner_html=area_text(value)></textarea>
        };
        self.around(control.into_any())
    }
}

/// Machines fill in what people do not see.
fn trap(value: &str) -> AnyView {
    view! {
        <div class="not-for-people" aria-hidden="true">
            <label for="website">"Leave this empty"</label>
            <input id="website" name="website" type="text" tabindex="-1" autocomplete="off" value=value.to_owned()/>
        </div>
    }
    .into_any()
}

fn general(refusal: Option<&Refusal>, fields: &[&str]) -> Option<AnyView> {
    refusal
        .filter(|refusal| !refusal.field.as_deref().is_some_and(|field| fields.contains(&field)))
        .map(|refusal| view! { <p class="problem general" role="alert">{refusal.message.clone()}</p> }.into_any())
}

/// The authorities a person can complain to.
fn authorities() -> AnyView {
    let list: Vec<_> = AUTHORITIES
        .iter()
        .map(|one| view! { <li>{format!("{}: ", one.country)}<a href=one.url>{one.name}</a></li> })
        .collect();
    view! {
        <section>
            <h2>"To an authority"</h2>
            <p>"You can complain to a supervisory authority at any time, with or without writing to us first. The French CNIL leads for us; yours, where you live, takes your complaint as well."</p>
            <ul>{list}</ul>
        </section>
    }
    .into_any()
}

fn short(sentences: &[&'static str]) -> AnyView {
    let sentences: Vec<_> = sentences.iter().map(|text| view! { <li>{*text}</li> }).collect();
    view! {
        <section class="short" id="tldr" aria-labelledby="tldr-title">
            <h2 id="tldr-title">"In short"</h2>
            <ul>{sentences}</ul>
        </section>
    }
    .into_any()
}

/// The complaint form, or that it was taken.
#[must_use]
pub fn complaint_page(around: &Around<'_>, form: &ComplaintForm, shown: &Shown<'_>) -> String {
    let body = match shown {
        Shown::Taken(reference) => view! {
            <div role="status">
                <p class="notice">"We have your complaint. A mail that says so is on its way to you."</p>
                <p>"Its reference is "<strong class="break-anywhere">{(*reference).to_owned()}</strong>". One of the two founders reads it and answers within 30 days."</p>
            </div>
        }
        .into_any(),
        Shown::Form(refusal) => {
            let field = |name, label, hint| Field { name, label, hint, is_required: true, problem: of_field(*refusal, name) };
            let laws: Vec<_> = LAWS
                .into_iter()
                .map(|(law, label)| {
                    let is_chosen = form.law == law.as_str();
                    view! { <option value=law.as_str() selected=is_chosen>{label}</option> }
                })
                .collect();
            let law = field("law", "Where do you live?", "It decides whose clock counts.");
            let choice = view! { <select id="law" name="law" aria-describedby=law.described_by()>{laws}</select> };
            view! {
                <form method="post" action="/privacy/complain" novalidate>
                    {general(*refusal, &["email", "law", "words"])}
                    {field("email", "Your e-mail address", "The answer goes there, and it is erased with the answer.").address(&form.email, "email")}
                    {law.around(choice.into_any())}
                    {field("words", "What is wrong?", "").words(&form.words)}
                    {trap(&form.website)}
                    <p><button class="button primary" type="submit">"Send the complaint"</button></p>
                </form>
            }
            .into_any()
        }
    };
    let main = view! {
        <main class="prose document" id="content">
            <h1>"Complain"</h1>
            {short(&[
                "Tell us what is wrong with how we treat data. You need no account and no papers.",
                "We say at once that it arrived, and one of the two founders answers within 30 days.",
                "Your words and your address are sealed, and both are destroyed with the answer.",
            ])}
            <section>
                <h2>"To us"</h2>
                {body}
            </section>
            {authorities()}
        </main>
    };
    framed(around, "Complain", "/privacy/complain", main)
}

/// The form of a report about a child, or that it was taken: the same whether or not the child is known.
#[must_use]
pub fn child_report_page(around: &Around<'_>, form: &ChildReportForm, shown: &Shown<'_>) -> String {
    let body = match shown {
        Shown::Taken(reference) => view! {
            <div role="status">
                <p class="notice">"We have your report. Thank you."</p>
                <p>"What we hold under the address you named rests from now on and is erased within 72 hours. Where you named none, one of us looks for it in the same time. For the child’s sake this page does not say what was found."</p>
                <p>"The reference is "<strong class="break-anywhere">{(*reference).to_owned()}</strong>"."</p>
            </div>
        }
        .into_any(),
        Shown::Form(refusal) => {
            let field = |name, label, hint| Field { name, label, hint, is_required: false, problem: of_field(*refusal, name) };
            view! {
                <form method="post" action="/privacy/report-child" novalidate>
                    {general(*refusal, &["child_email", "words", "email"])}
                    {field("child_email", "The e-mail address the child registered with", "With it, everything is found by itself.").address(&form.child_email, "off")}
                    {field("words", "Where was it?", "The name of the webinar or the address of its page, and what else helps. Please leave out the child’s name.").words(&form.words)}
                    {field("email", "Your own e-mail address", "Only if you want to be told that your report arrived.").address(&form.email, "email")}
                    {trap(&form.website)}
                    <p><button class="button primary" type="submit">"Send the report"</button></p>
                </form>
            }
            .into_any()
        }
    };
    let main = view! {
        <main class="prose document" id="content">
            <h1>"Report a child’s registration"</h1>
            {short(&[
                "This service is not for people under 16. If a child registered, tell us.",
                "Nobody has to prove anything: what we hold rests at once and is erased within 72 hours.",
                "The registered address is told, so that a wrong report can be called off in time.",
            ])}
            {body}
        </main>
    };
    framed(around, "Report a child’s registration", "/privacy/report-child", main)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AROUND: Around<'static> = Around { css: "/document.css", has_signal: false, contact: "privacy@example.org" };

    #[test]
    fn what_was_typed_stays_and_its_problem_stands_beside_it() {
        let form = ComplaintForm {
            email: "no address".to_owned(),
            words: "</textarea><script>".to_owned(),
            law: "uk".to_owned(),
            ..ComplaintForm::default()
        };
        let refusal = form.check().expect_err("no address");
        let html = complaint_page(&AROUND, &form, &Shown::Form(Some(&refusal)));
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("value=\"no address\"") && html.contains("id=\"email-problem\""), "{html}");
        assert!(html.contains("aria-describedby=\"email-hint email-problem\""), "{html}");
        assert!(html.contains("<option value=\"uk\" selected"), "{html}");
        for authority in AUTHORITIES {
            assert!(html.contains(authority.url), "{}", authority.name);
        }
    }

    #[test]
    fn a_taken_report_says_nothing_of_what_was_typed() {
        let form = ChildReportForm { child_email: "kid@example.org".to_owned(), ..ChildReportForm::default() };
        let html = child_report_page(&AROUND, &form, &Shown::Taken("the-reference"));
        assert!(html.contains("the-reference") && !html.contains("kid@example.org"), "{html}");
    }
}
