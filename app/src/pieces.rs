//! Pages whose code is a piece of its own: a browser fetches it with the first page that needs it, and no page pays for
//! the others. The build cuts the WebAssembly at the functions named here (`server/xtask/src/wasm.rs`); on the server
//! nothing is cut, and the page says early which piece its browser will ask for.

use std::pin::Pin;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::ChooseView;

use crate::account::{AccountPage, ConfirmPage, LoginPage, NewPasswordPage, ResetPage, SecondFactorPage, SignUpPage};
use crate::context::announce_piece;
use crate::home::HomePage;
use crate::kit::KitPage;
use crate::studio::{
    DashboardPage, EditorPage, MailsPage, RegistrantPage, RegistrantsPage, RehearsalPage, ResultsPage, TimesPage,
    WebinarsPage,
};

/// A piece that did not arrive: the network is gone, or the site was built anew since the page was opened.
struct Unfetched;

impl From<SplitLoaderError> for Unfetched {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}

/// What comes later, in the browser's one thread.
type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A page whose code is fetched before it is shown. One type for all of them: the router makes code for each type of
/// view it is given.
#[derive(Clone, Copy, Debug)]
pub struct CutPage {
    piece: &'static str,
    fetch: fn() -> Later<Result<(), SplitLoaderError>>,
    show: fn() -> Later<Result<AnyView, Unfetched>>,
}

impl ChooseView for CutPage {
    async fn choose(self) -> AnyView {
        announce_piece(self.piece);
        match (self.show)().await {
            Ok(page) => page,
            Err(Unfetched) => view! { <Unreached/> }.into_any(),
        }
    }

    /// The router waits for it before it shows or takes over the page, and expects the page at once afterwards.
    async fn preload(&self) {
        if (self.fetch)().await.is_err() {
            leptos::logging::warn!("the piece {} did not arrive", self.piece);
        }
    }
}

/// For each piece its pages: the constant the routes name, the function at which the code is cut, the one
/// that only fetches it, and the page itself.
macro_rules! pieces {
    ($($piece:ident { $($route:ident $cut:ident $fetch:ident $page:ident),+ $(,)? })+) => {$($(
        #[wasm_split($piece, wasm_split_path = ::leptos::wasm_split, preload($fetch), fallible)]
        fn $cut() -> Result<AnyView, Unfetched> {
            Ok(view! { <$page/> }.into_any())
        }

        #[doc = concat!("A page of the piece `", stringify!($piece), "`.")]
        pub const $route: CutPage = CutPage { piece: stringify!($piece), fetch: || Box::pin($fetch()), show: || Box::pin($cut()) };
    )+)+};
}

pieces! {
    front { HOME cut_home fetch_home HomePage }
    door {
        SIGN_UP cut_sign_up fetch_sign_up SignUpPage,
        CONFIRM cut_confirm fetch_confirm ConfirmPage,
        LOGIN cut_login fetch_login LoginPage,
        SECOND_FACTOR cut_second_factor fetch_second_factor SecondFactorPage,
        RESET cut_reset fetch_reset ResetPage,
        NEW_PASSWORD cut_new_password fetch_new_password NewPasswordPage,
    }
    kit { KIT cut_kit fetch_kit KitPage }
    webinars {
        DASHBOARD cut_dashboard fetch_dashboard DashboardPage,
        WEBINARS cut_webinars fetch_webinars WebinarsPage,
    }
    editor { EDITOR cut_editor fetch_editor EditorPage }
    times { TIMES cut_times fetch_times TimesPage }
    mails { MAILS cut_mails fetch_mails MailsPage }
    rehearsal { REHEARSAL cut_rehearsal fetch_rehearsal RehearsalPage }
    results { RESULTS cut_results fetch_results ResultsPage }
    people {
        REGISTRANTS cut_registrants fetch_registrants RegistrantsPage,
        REGISTRANT cut_registrant fetch_registrant RegistrantPage,
    }
    account { ACCOUNT cut_account fetch_account AccountPage }
}

/// What stands where a page's code could not be fetched.
#[component]
fn Unreached() -> impl IntoView {
    let again = |_| {
        if window().location().reload().is_err() {
            leptos::logging::warn!("the page could not be loaded again");
        }
    };
    view! {
        <main class="wide" id="content">
            <div class="empty">
                <h1>"This page did not arrive"</h1>
                <p role="alert">"The connection seems to be gone. Nothing you saved is lost."</p>
                <p><button type="button" class="button primary" on:click=again>"Try again"</button></p>
            </div>
        </main>
    }
}
