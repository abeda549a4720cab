//! The account page: who she is, how she signs in, where she is signed in.

use domain::account::{AccountView, LoginView};
use leptos::prelude::*;
use leptos_meta::Title;

use super::security::{Password, SecondFactor};
use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{Fold, PostForm, Submit, TextField};
use crate::reading::read;
use crate::ui::{Refused, Time, country_text, device_text};

/// Everything the account page shows, with every zone that can be chosen.
#[server(prefix = "/api/fn", endpoint = "account")]
pub async fn read_account() -> Result<(AccountView, Vec<String>), AppError> {
    let coach = crate::context::server::door()?.coach().await?;
    Ok((coach.account().await?, backend::zones::time_zones()))
}

/// The account page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let account = read(move || refresh.watch(), |_| read_account());
    view! {
        <Title text="Account"/>
        <main class="account" id="content">
            <h1>"Account"</h1>
            <Transition>
                {move || Suspend::new(async move {
                    match account.await {
                        Ok((account, zones)) => view! { <Sections account=account zones=zones/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
            <section>
                <h2>"This browser"</h2>
                <PostForm name="sign_out"><Submit label="Sign out" kind=""/></PostForm>
            </section>
            <section>
                <h2>"Privacy"</h2>
                <p><a href="/privacy" rel="external">"Privacy policy"</a>" · "<a href="/privacy/promises" rel="external">"its promises and their tests"</a>" · "<a href="/terms" rel="external">"terms and data processing"</a>" · "<a href="/privacy/complain" rel="external">"complain"</a></p>
            </section>
        </main>
    }
}

#[component]
fn Sections(account: AccountView, zones: Vec<String>) -> impl IntoView {
    let zones: Vec<_> = zones.into_iter().map(|zone| view! { <option value=zone></option> }).collect();
    let unconfirmed = (!account.coach.email_confirmed).then(|| {
        view! {
            <p class="look">"This address is not confirmed yet."</p>
            <PostForm name="resend_confirmation" done="A new mail is on its way."><Submit label="Send the mail again" kind=""/></PostForm>
        }
    });
    let pending = account.pending_email.clone().map(|email| {
        view! { <p class="look">"Waiting for you to confirm "<strong class="break-anywhere" dir="ltr">{email}</strong>"."</p> }
    });
    view! {
        <section>
            <h2>"You"</h2>
            <PostForm name="profile" done="Saved.">
                <TextField name="name" label="Name" value=account.coach.name.clone() autocomplete="name"/>
                <TextField name="time_zone" label="Time zone" value=account.coach.time_zone.clone() list="zones" hint="Dates in your dashboard are shown in it."/>
                <datalist id="zones">{zones}</datalist>
                <Submit label="Save"/>
            </PostForm>
        </section>
        <section id="email">
            <h2>"E-mail address"</h2>
            <p class="break-anywhere" dir="ltr">{account.coach.email.clone()}</p>
            {unconfirmed}
            {pending}
            <Fold summary="Change the address">
                <PostForm name="change_email" done="Please press the button in the mail we sent to the new address. Until then the old one stays.">
                    <TextField name="email" label="New e-mail address" kind="email" autocomplete="email"/>
                    <TextField name="password" label="Your password" kind="password" autocomplete="current-password"/>
                    <Submit label="Ask for the change" kind=""/>
                </PostForm>
            </Fold>
        </section>
        <Password/>
        <SecondFactor is_on=account.second_factor codes_left=account.recovery_codes_left/>
        <Logins logins=account.logins.clone()/>
    }
}

#[component]
fn Logins(logins: Vec<LoginView>) -> impl IntoView {
    let others = logins.iter().filter(|login| !login.is_current).count();
    let rows: Vec<_> = logins
        .into_iter()
        .map(|login| {
            let end = if login.is_current {
                view! { <span class="quiet">"this one"</span> }.into_any()
            } else {
                view! { <PostForm name="revoke_login" class="inline" hidden=vec![("login", login.id.to_string())]><Submit label="Sign it out" kind="quiet"/></PostForm> }.into_any()
            };
            view! {
                <li>
                    <span><strong>{device_text(&login.device)}</strong><br/><span class="quiet">"Country "{country_text(&login.country)}" · last seen "<Time at=login.seen_at/></span></span>
                    {end}
                </li>
            }
        })
        .collect();
    view! {
        <section>
            <h2>"Where you are signed in"</h2>
            <ul class="rows">{rows}</ul>
            {(others > 0).then(|| view! { <PostForm name="revoke_other_logins"><Submit label="Sign out all other browsers" kind=""/></PostForm> })}
        </section>
    }
}
