//! What each form does, and who may send it. One line in [`FORMS`] and one arm a form; a form without its line does
//! nothing, whatever arms there are.

use backend::{Coach, Error};
use domain::account::{SignInStep, SignUp};
use domain::ids::{LoginId, UploadId, VideoId, WebinarId};
use domain::schedule::{MoveForm, RuleForm, ScheduleForm, TickedDays};
use domain::secret::Secret;
use domain::sequence::form::TemplateForm;
use domain::webinar::{Asked, FieldChoice, WebinarForm};
use domain::{Refusal, RefusalKind};

use super::server::Door;
use super::session_cookie_name;
use crate::forms::{FormAnswer, Shown};

/// Who may send a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Anybody: these forms stand in front of the door.
    Anybody,
    /// A signed-in coach, about what is hers.
    Coach,
}

/// Every form by its name.
pub const FORMS: &[(&str, Sender)] = &[
    ("sign_up", Sender::Anybody),
    ("confirm_email", Sender::Anybody),
    ("sign_in", Sender::Anybody),
    ("second_factor", Sender::Anybody),
    ("request_reset", Sender::Anybody),
    ("reset_password", Sender::Anybody),
    ("sign_out", Sender::Anybody),
    ("resend_confirmation", Sender::Coach),
    ("profile", Sender::Coach),
    ("change_password", Sender::Coach),
    ("change_email", Sender::Coach),
    ("begin_second_factor", Sender::Coach),
    ("enable_second_factor", Sender::Coach),
    ("new_recovery_codes", Sender::Coach),
    ("disable_second_factor", Sender::Coach),
    ("revoke_login", Sender::Coach),
    ("revoke_other_logins", Sender::Coach),
    ("create_webinar", Sender::Coach),
    ("save_webinar", Sender::Coach),
    ("add_rule", Sender::Coach),
    ("remove_rule", Sender::Coach),
    ("save_schedule", Sender::Coach),
    ("move_session", Sender::Coach),
    ("call_off_session", Sender::Coach),
    ("bring_back", Sender::Coach),
    ("remove_date", Sender::Coach),
    ("save_template", Sender::Coach),
    ("remove_template", Sender::Coach),
    ("test_template", Sender::Coach),
    ("publish", Sender::Coach),
    ("unpublish", Sender::Coach),
    ("close_now", Sender::Coach),
    ("archive", Sender::Coach),
    ("reopen", Sender::Coach),
    ("delete_draft", Sender::Coach),
    ("remove_logo", Sender::Coach),
    ("choose_poster", Sender::Coach),
    ("remove_caption", Sender::Coach),
    ("cancel_upload", Sender::Coach),
    ("resend_link", Sender::Coach),
    ("try_address_again", Sender::Coach),
    ("forget_child", Sender::Coach),
    ("acknowledge_policy", Sender::Coach),
];

/// Everything sign-up asks for (promise P03).
const SIGN_UP_FIELDS: [&str; 5] = ["name", "email", "password", "age_ok", "terms"];

/// What came of a form, for both ways.
pub struct Performed {
    /// For the page.
    pub answer: FormAnswer,
    /// A cookie to set.
    pub cookie: Option<String>,
}

impl From<FormAnswer> for Performed {
    fn from(answer: FormAnswer) -> Self {
        Self { answer, cookie: None }
    }
}

struct Fields<'a>(&'a [(String, String)]);

impl Fields<'_> {
    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }

    /// Refuses a form with a field we do not ask for: what is not asked for cannot be kept (promise P03).
    fn nothing_but(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some(_) => {
                Err(Refusal::new(RefusalKind::Invalid, "This form has a field we do not ask for. Nothing was kept."))
            }
            None => Ok(()),
        }
    }

    fn own(&self, name: &str) -> String {
        self.text(name).to_owned()
    }

    fn secret(&self, name: &str) -> Secret {
        self.text(name).into()
    }

    fn ticked(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Refusal> {
        self.text(name).parse().map_err(|_| Refusal::not_found())
    }

    fn asked(&self, name: &str) -> Asked {
        match self.text(name) {
            "optional" => Asked::Optional,
            "required" => Asked::Required,
            _ => Asked::No,
        }
    }

    fn webinar(&self) -> Result<WebinarId, Refusal> {
        self.number("webinar")
    }

    fn move_form(&self) -> MoveForm {
        MoveForm { date: self.own("date"), at: self.own("at"), zone: self.own("zone"), note: self.own("note") }
    }

    fn webinar_form(&self) -> WebinarForm {
        WebinarForm {
            title: self.own("title"),
            slug: self.own("slug"),
            description: self.own("description"),
            presenter: self.own("presenter"),
            // The colour input always holds a colour; the box says whether it counts.
            accent: if self.ticked("own_accent").is_some() { self.own("accent") } else { String::new() },
            session_kind: self.own("session_kind"),
            link_days: self.own("link_days"),
            recorded_month: self.own("recorded_month"),
            fields: FieldChoice {
                first_name: self.asked("first_name"),
                last_name: self.asked("last_name"),
                company: self.asked("company"),
                phone: self.asked("phone"),
            },
            consent_text: self.own("consent_text"),
            offers_text: self.own("offers_text"),
            embed_hosts: self.own("embed_hosts"),
            end_percent: self.own("end_percent"),
            floor_seconds: self.own("floor_seconds"),
            retention_days: self.own("retention_days"),
            ask_age: self.ticked("ask_age"),
        }
    }
}

impl Fields<'_> {
    fn rule_form(&self) -> RuleForm {
        RuleForm {
            kind: self.own("kind"),
            at: self.own("at"),
            zone: if self.ticked("floats").is_some() { String::new() } else { self.own("zone") },
            days: TickedDays {
                monday: self.ticked("monday"),
                tuesday: self.ticked("tuesday"),
                wednesday: self.ticked("wednesday"),
                thursday: self.ticked("thursday"),
                friday: self.ticked("friday"),
                saturday: self.ticked("saturday"),
                sunday: self.ticked("sunday"),
            },
            anchor: self.own("anchor"),
            month_day: self.own("month_day"),
            nth: self.own("nth"),
            nth_day: self.own("nth_day"),
            dates: self.own("dates"),
            every_minutes: self.own("every_minutes"),
            opens: self.own("opens"),
            closes: self.own("closes"),
        }
    }

    fn template_form(&self) -> TemplateForm {
        TemplateForm {
            template: self.own("template"),
            timing: self.own("timing"),
            amount: self.own("amount"),
            unit: self.own("unit"),
            subject: self.own("subject"),
            body: self.own("body"),
            is_on: self.ticked("is_on"),
            is_promotional: self.ticked("is_promotional"),
            joined: self.own("joined"),
            attended_to_end: self.ticked("attended_to_end"),
            left_early: self.ticked("left_early"),
            missed: self.ticked("missed"),
            percent_at_least: self.own("percent_at_least"),
            percent_at_most: self.own("percent_at_most"),
            left_before: self.own("left_before"),
            stayed_past: self.own("stayed_past"),
        }
    }

    fn schedule_form(&self) -> ScheduleForm {
        ScheduleForm {
            on_demand: self.ticked("on_demand"),
            blackouts: self.own("blackouts"),
            notice_minutes: self.own("notice_minutes"),
            doors_minutes: self.own("doors_minutes"),
            late_join: self.own("late_join"),
            shown: self.own("shown"),
            replay_days: self.own("replay_days"),
        }
    }
}

/// The cookie that keeps a browser signed in: for our own pages only, out of reach of scripts.
fn session_cookie(door: &Door, token: &str, seconds: i64) -> String {
    let is_https = door.backend.config().is_https();
    let secure = if is_https { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", session_cookie_name(is_https))
}

/// Ninety days, the longest a login lasts.
const COOKIE_SECONDS: i64 = 90 * 86_400;

/// Does what a form says.
pub async fn perform(door: &Door, form: &str, fields: &[(String, String)]) -> Performed {
    let fields = Fields(fields);
    let outcome = match FORMS.iter().find(|(name, _)| *name == form) {
        Some((_, Sender::Anybody)) => at_the_door(door, form, &fields).await,
        Some((_, Sender::Coach)) => match door.coach().await {
            Ok(coach) => signed_in(&coach, form, &fields).await.map(Performed::from),
            Err(error) => Err(error),
        },
        None => Err(unknown()),
    };
    outcome.unwrap_or_else(|error| FormAnswer::Refused(error.into_refusal()).into())
}

fn unknown() -> Error {
    Refusal::new(RefusalKind::NotFound, "This page is older than the server. Please load it again.").into()
}

fn go(to: &str) -> FormAnswer {
    FormAnswer::Go(to.to_owned())
}

async fn at_the_door(door: &Door, form: &str, fields: &Fields<'_>) -> Result<Performed, Error> {
    let visitor = door.backend.visitor();
    let answer = match form {
        "sign_up" => {
            fields.nothing_but(&SIGN_UP_FIELDS)?;
            let sign_up = SignUp {
                name: fields.own("name"),
                email: fields.own("email"),
                password: fields.secret("password"),
                age_ok: fields.ticked("age_ok"),
                terms: fields.ticked("terms"),
            };
            visitor.sign_up(&sign_up, &door.client).await?;
            go("/signup?sent=1")
        }
        "confirm_email" => {
            visitor.confirm_email(fields.text("token")).await?;
            go("/confirm?ok=1")
        }
        "sign_in" => {
            let signed_in = visitor.sign_in(fields.text("email"), &fields.secret("password"), &door.client).await?;
            let (to, seconds) = match signed_in.step {
                SignInStep::Done => ("/dashboard", COOKIE_SECONDS),
                SignInStep::SecondFactor => ("/login/second-factor", 600),
            };
            return Ok(Performed { answer: go(to), cookie: Some(session_cookie(door, &signed_in.token, seconds)) });
        }
        "second_factor" => {
            let token = door.token.as_deref().ok_or_else(Refusal::sign_in)?;
            let signed_in = visitor.second_factor(token, fields.text("code"), &door.client).await?;
            return Ok(Performed {
                answer: go("/dashboard"),
                cookie: Some(session_cookie(door, &signed_in.token, COOKIE_SECONDS)),
            });
        }
        "request_reset" => {
            visitor.request_password_reset(fields.text("email"), &door.client).await?;
            go("/reset?sent=1")
        }
        "reset_password" => {
            visitor.reset_password(fields.text("token"), &fields.secret("password")).await?;
            go("/login?changed=1")
        }
        "sign_out" => {
            // Signing out when nobody is signed in is done already.
            if let Ok(coach) = door.coach().await {
                coach.sign_out().await?;
            }
            return Ok(Performed { answer: go("/login"), cookie: Some(session_cookie(door, "", 0)) });
        }
        _ => return Err(unknown()),
    };
    Ok(answer.into())
}

async fn signed_in(coach: &Coach, form: &str, fields: &Fields<'_>) -> Result<FormAnswer, Error> {
    match form {
        "resend_confirmation" => coach.resend_confirmation().await?,
        "profile" => coach.change_profile(fields.text("name"), fields.text("time_zone")).await?,
        "change_password" => {
            coach.change_password(&fields.secret("current_password"), &fields.secret("password")).await?
        }
        "change_email" => coach.change_email(&fields.secret("password"), fields.text("email")).await?,
        "begin_second_factor" => {
            return Ok(FormAnswer::Show(Shown::SecondFactor(
                coach.begin_second_factor(&fields.secret("password")).await?,
            )));
        }
        "enable_second_factor" => {
            return Ok(FormAnswer::Show(Shown::RecoveryCodes(coach.enable_second_factor(fields.text("code")).await?)));
        }
        "new_recovery_codes" => {
            return Ok(FormAnswer::Show(Shown::RecoveryCodes(
                coach.new_recovery_codes(&fields.secret("password")).await?,
            )));
        }
        "disable_second_factor" => coach.disable_second_factor(&fields.secret("password")).await?,
        "revoke_login" => coach.revoke_login(fields.number::<LoginId>("login")?).await?,
        "revoke_other_logins" => coach.revoke_other_logins().await.map(drop)?,
        "create_webinar" => {
            let id = coach.create_webinar(fields.text("title")).await?;
            return Ok(FormAnswer::Go(format!("/dashboard/webinars/{id}")));
        }
        "save_webinar" => {
            let saved =
                coach.save_webinar(fields.webinar()?, fields.number("revision")?, fields.webinar_form()).await?;
            return Ok(FormAnswer::Saved(saved.revision));
        }
        "add_rule" => coach.add_rule(fields.webinar()?, &fields.rule_form()).await?,
        "remove_rule" => coach.remove_rule(fields.webinar()?, fields.number("rule")?).await?,
        "save_schedule" => coach.save_schedule(fields.webinar()?, &fields.schedule_form()).await?,
        "move_session" => {
            coach.move_session(fields.webinar()?, &fields.number("session")?, &fields.move_form()).await?;
        }
        "call_off_session" => {
            coach.call_off_session(fields.webinar()?, &fields.number("session")?, &fields.move_form()).await?;
        }
        "bring_back" => coach.bring_back(fields.webinar()?, fields.text("date")).await?,
        "remove_date" => coach.remove_date(fields.webinar()?, fields.text("date")).await?,
        "save_template" => coach.save_template(fields.webinar()?, &fields.template_form()).await?,
        "remove_template" => coach.remove_template(fields.webinar()?, fields.number("template")?).await?,
        "test_template" => coach.test_template(fields.webinar()?, fields.number("template")?).await?,
        "publish" => coach.publish(fields.webinar()?).await.map(drop)?,
        "unpublish" => coach.unpublish(fields.webinar()?, false).await.map(drop)?,
        "close_now" => coach.unpublish(fields.webinar()?, true).await.map(drop)?,
        "archive" => coach.archive(fields.webinar()?).await.map(drop)?,
        "reopen" => coach.reopen(fields.webinar()?).await.map(drop)?,
        "delete_draft" => {
            coach.delete_draft(fields.webinar()?).await?;
            return Ok(go("/dashboard/webinars"));
        }
        "remove_logo" => coach.remove_logo(fields.webinar()?).await?,
        "choose_poster" => coach.choose_poster(fields.number::<VideoId>("video")?, fields.number("index")?).await?,
        "remove_caption" => coach.remove_caption(fields.number("caption")?).await?,
        "cancel_upload" => coach.uploader().terminate_upload(fields.number::<UploadId>("upload")?).await?,
        "try_address_again" => {
            coach.try_address_again(fields.webinar()?, fields.number("registration")?).await?;
        }
        "resend_link" => coach.resend_link(fields.webinar()?, fields.number("registration")?).await?,
        "forget_child" => {
            let webinar = fields.webinar()?;
            coach.forget_child(webinar, fields.number("registration")?).await?;
            return Ok(FormAnswer::Go(format!("/dashboard/webinars/{webinar}/registrants")));
        }
        "acknowledge_policy" => coach.acknowledge_policy(fields.text("version")).await?,
        _ => return Err(unknown()),
    }
    Ok(FormAnswer::Done)
}
