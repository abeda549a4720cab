//! What the verbs need to know of the installation. Parsed by the server binary; libraries never read the environment.

use url::Url;

/// Storage a coach may use: enough for a dozen long recordings.
pub const DEFAULT_QUOTA_BYTES: i64 = 50_000_000_000;

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// The only source of absolute links.
    pub base_url: Url,
    /// Sender of every mail.
    pub mail_from: String,
    /// Where undeliverable mail comes back to; nothing where nobody reads it.
    pub bounce_mailbox: Option<String>,
    /// Where people write about privacy.
    pub contact_email: String,
    /// Bytes of recordings a coach may keep.
    pub quota_bytes: i64,
    /// Where ffmpeg and other tools may write while they work.
    pub work_dir: std::path::PathBuf,
    /// Whether captured state may be shown under `/dev`.
    pub dev: bool,
}

impl Config {
    /// An absolute link to a path of ours.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    /// Whether cookies can be marked Secure.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }
}
