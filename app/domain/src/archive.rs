//! Archives of everything held about somebody: where one is in its life, and what is shown of it (promises P26, P27).

use serde::{Deserialize, Serialize};

use crate::ids::ExportId;
use crate::moment::Moment;

/// Seconds between two archives of the same person; looking at everything on screen is always free.
pub const BETWEEN_ARCHIVES_SECONDS: i64 = 24 * 3600;
/// Seconds a proof of the person counts before an archive is asked for or fetched.
pub const FRESH_PROOF_SECONDS: i64 = 5 * 60;
/// Seconds the address of an archive works.
pub const LINK_SECONDS: i64 = 10 * 60;

/// Where an archive is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveState {
    /// Asked for.
    Queued,
    /// Being written.
    Writing,
    /// Whole.
    Ready,
    /// Whole but for what could not be had, which it lists.
    Incomplete,
    /// It could not be written.
    Failed,
    /// Ended by the person.
    Revoked,
}

impl ArchiveState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Writing, Self::Ready, Self::Incomplete, Self::Failed, Self::Revoked];

    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Writing => "writing",
            Self::Ready => "ready",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Revoked => "revoked",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "about to be written",
            Self::Writing => "being written",
            Self::Ready => "ready",
            Self::Incomplete => "ready, with gaps it lists",
            Self::Failed => "could not be written",
            Self::Revoked => "ended by you",
        }
    }

    /// Whether it can be downloaded.
    #[must_use]
    pub const fn can_be_fetched(self) -> bool {
        matches!(self, Self::Ready | Self::Incomplete)
    }

    /// Whether somebody is at it, or will be.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Queued | Self::Writing)
    }
}

/// An archive as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveView {
    /// Its id.
    pub id: ExportId,
    /// Where it is in its life.
    pub state: ArchiveState,
    /// What it is at, in a sentence.
    pub step: String,
    /// How far it is, 0 to 100.
    pub percent: u8,
    /// Things that should be in it and could not be had; it lists them.
    pub omissions: u32,
    /// Bytes to download.
    pub size_bytes: Option<u64>,
    /// Checksum of the file to download, hex.
    pub sha256: Option<String>,
    /// How often it was fetched.
    pub downloads: u32,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it was whole.
    pub ready_at: Option<Moment>,
    /// When it goes by itself.
    pub expires_at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_come_back() {
        for state in ArchiveState::ALL {
            assert_eq!(ArchiveState::from_stored(state.as_str()), Some(state));
            assert!(!(state.can_be_fetched() && state.is_under_way()));
        }
        assert_eq!(ArchiveState::from_stored("whole"), None);
    }
}
