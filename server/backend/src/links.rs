//! Links that carry their own proof: a registrant's room, and media that may be fetched for a while.
//!
//! A room token is derived from the registration and its link version, so it can be mailed again without being
//! stored; raising the version revokes it (product.md §4.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Moment;
use domain::ids::RegistrationId;

use crate::Backend;
use crate::secrets::same;

/// Bytes of the signature in a token: 128 bits.
const SIGNATURE_BYTES: usize = 16;
/// What a token is for that is shown on a page.
const SHOWN: &str = "room-token-shown";
/// A media address works at least this long: a long talk with breaks.
const MEDIA_SECONDS: i64 = 6 * 3600;
/// Addresses are cut to this grid, so that a page loaded again reuses the browser's cache.
const MEDIA_GRID_SECONDS: i64 = 3600;

/// What kind of object a media address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A recording.
    Video,
    /// A poster candidate.
    Poster,
    /// A caption track.
    Caption,
    /// A webinar's logo.
    Logo,
}

impl MediaKind {
    /// Path segment.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Poster => "poster",
            Self::Caption => "caption",
            Self::Logo => "logo",
        }
    }

    /// From the path segment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Video, Self::Poster, Self::Caption, Self::Logo].into_iter().find(|k| k.as_str() == text)
    }
}

impl Backend {
    /// The token of a registrant's own link as it is mailed.
    #[must_use]
    pub fn room_token(&self, registration: RegistrationId, version: i32) -> String {
        self.token_for("room-token", registration, version)
    }

    fn token_for(&self, purpose: &str, registration: RegistrationId, version: i32) -> String {
        let mac = self.secrets().mac(purpose, &[registration.as_bytes(), &version.to_be_bytes()]);
        let mut bytes = registration.as_bytes().to_vec();
        bytes.extend_from_slice(&mac[..SIGNATURE_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The path of a registrant's own link as it is mailed: only who reads that mailbox knows it.
    #[must_use]
    pub fn room_path(&self, registration: RegistrationId, version: i32) -> String {
        format!("/r/{}", self.room_token(registration, version))
    }

    /// The path of the same room for whoever has not shown that they read the mailbox: the page after registering, and
    /// the coach. It opens the same, and proves nothing about the address (product.md §4.2).
    #[must_use]
    pub fn shown_room_path(&self, registration: RegistrationId, version: i32) -> String {
        format!("/r/{}", self.token_for(SHOWN, registration, version))
    }

    /// The path behind which somebody ends the reminders and follow-ups of a registration's coach.
    #[must_use]
    pub fn unsubscribe_path(&self, registration: RegistrationId) -> String {
        format!("/u/{}", self.unsubscribe_token(registration))
    }

    fn unsubscribe_token(&self, registration: RegistrationId) -> String {
        let mac = self.secrets().mac("unsubscribe", &[registration.as_bytes()]);
        let mut bytes = registration.as_bytes().to_vec();
        bytes.extend_from_slice(&mac[..SIGNATURE_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The registration a token of [`Self::unsubscribe_path`] proves.
    #[must_use]
    pub fn unsubscribe_token_proves(&self, token: &str) -> Option<RegistrationId> {
        let named = self.room_token_names(token)?;
        same(token.as_bytes(), self.unsubscribe_token(named).as_bytes()).then_some(named)
    }

    /// The registration a token names; whether it proves it must be asked of [`Self::room_token_proves`].
    #[must_use]
    pub fn room_token_names(&self, token: &str) -> Option<RegistrationId> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() != 16 + SIGNATURE_BYTES {
            return None;
        }
        let id: [u8; 16] = bytes[..16].try_into().ok()?;
        format!("{:032x}", u128::from_be_bytes(id)).parse().ok()
    }

    /// Whether a token was made by us for this registration and link version.
    #[must_use]
    pub fn room_token_proves(&self, token: &str, registration: RegistrationId, version: i32) -> bool {
        let shown = self.token_for(SHOWN, registration, version);
        self.was_mailed(token, registration, version) || same(token.as_bytes(), shown.as_bytes())
    }

    /// Whether it is the token that was mailed.
    #[must_use]
    pub fn was_mailed(&self, token: &str, registration: RegistrationId, version: i32) -> bool {
        same(token.as_bytes(), self.room_token(registration, version).as_bytes())
    }

    /// A signed address: `/media/{kind}/{name}?e={expiry}&s={signature}`. `name` is an id, with `-{index}` for a
    /// poster candidate.
    #[must_use]
    pub fn media_url(&self, kind: MediaKind, name: &str) -> String {
        let now = self.now().unix_seconds();
        let expiry = (now / MEDIA_GRID_SECONDS + 1) * MEDIA_GRID_SECONDS + MEDIA_SECONDS;
        format!("/media/{}/{name}?e={expiry}&s={}", kind.as_str(), self.media_signature(kind, name, expiry))
    }

    /// Whether a media address was signed by us and has not expired.
    #[must_use]
    pub fn media_allowed(&self, kind: MediaKind, name: &str, expiry: i64, signature: &str) -> bool {
        Moment::from_unix_seconds(expiry) > self.now()
            && same(signature.as_bytes(), self.media_signature(kind, name, expiry).as_bytes())
    }

    fn media_signature(&self, kind: MediaKind, name: &str, expiry: i64) -> String {
        let mac = self.secrets().mac("media", &[kind.as_str().as_bytes(), name.as_bytes(), &expiry.to_be_bytes()]);
        URL_SAFE_NO_PAD.encode(&mac[..SIGNATURE_BYTES])
    }
}
