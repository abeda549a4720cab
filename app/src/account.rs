//! Accounts of coaches: opening one, signing in, and what can be set.

mod door;
mod security;
mod settings;

pub use door::{ConfirmPage, LoginPage, NewPasswordPage, ResetPage, SecondFactorPage, SignUpPage};
pub use settings::AccountPage;
