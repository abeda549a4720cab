//! Captions: WebVTT or SRT from the coach, checked, kept as WebVTT, shown as a track and as a transcript.

use domain::ids::{CaptionId, VideoId};
use domain::video::{CaptionTrack, MAX_CAPTION_BYTES, TranscriptLine};
use domain::{Refusal, RefusalKind};
use persistence::entities::caption;
use persistence::videos as queries;
use sea_orm::{ActiveModelTrait, EntityTrait, Set};

use crate::links::MediaKind;
use crate::rights::fence::hold_changeable;
use crate::{Backend, Coach, Result};

/// Longest label of a track, in characters.
const MAX_LABEL_CHARS: usize = 60;

impl Backend {
    pub(crate) fn caption_track(&self, row: &caption::Model) -> CaptionTrack {
        CaptionTrack {
            id: row.id,
            language: row.language.clone(),
            label: row.label.clone(),
            url: self.media_url(MediaKind::Caption, &row.id.to_string()),
            cue_count: row.cue_count,
        }
    }
}

/// A stored track as plain lines.
#[must_use]
pub fn transcript(webvtt: &str) -> Vec<TranscriptLine> {
    // What is stored was written by us; a track that cannot be read any more is shown as none.
    media::captions::parse(webvtt.as_bytes())
        .unwrap_or_default()
        .into_iter()
        .map(|cue| TranscriptLine { start_seconds: cue.start_seconds, end_seconds: cue.end_seconds, text: cue.text })
        .collect()
}

/// A BCP 47 tag in the shape browsers take: `en`, `pt-BR`, `zh-Hant`.
fn check_language(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let mut parts = text.split('-');
    let primary =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if primary && rest && text.len() <= 35 {
        Ok(text.to_owned())
    } else {
        Err(Refusal::field("language", "Please give the language as a code, such as en, fr or pt-BR."))
    }
}

impl Coach {
    /// Adds a caption track; a track of the same language and label is replaced.
    ///
    /// # Errors
    /// Refuses a recording that is not hers, a language that is no code, a file that is neither WebVTT nor SRT (with
    /// the line at fault), and more than [`queries::MAX_CAPTIONS`] tracks.
    pub async fn add_caption(&self, video: VideoId, language: &str, label: &str, file: &[u8]) -> Result<CaptionTrack> {
        let language = check_language(language)?;
        let label = label.trim();
        if label.chars().count() > MAX_LABEL_CHARS || label.chars().any(char::is_control) {
            return Err(Refusal::field("label", "Please keep the name of the track within 60 characters.").into());
        }
        let label = if label.is_empty() { language.clone() } else { label.to_owned() };
        if file.len() > MAX_CAPTION_BYTES {
            return Err(Refusal {
                field: Some("file".to_owned()),
                ..Refusal::new(
                    RefusalKind::TooLarge,
                    "A caption file can have 2 MB. This one is larger; is it the right file?",
                )
            }
            .into());
        }
        let cues = media::captions::parse(file).map_err(|error| Refusal::field("file", error.to_string()))?;
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = queries::video(&transaction, self.id, video).await?.ok_or_else(Refusal::not_found)?;
        let tracks = queries::captions(&transaction, row.id).await?;
        for track in &tracks {
            if track.language == language && track.label == label {
                caption::Entity::delete_by_id(track.id).exec(&transaction).await?;
            }
        }
        if tracks.len() as u64 >= queries::MAX_CAPTIONS {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "A recording can have 20 caption tracks. Remove one first.",
            )
            .into());
        }
        let track = caption::ActiveModel {
            id: Set(CaptionId::new()),
            video_id: Set(row.id),
            language: Set(language),
            label: Set(label),
            cue_count: Set(i32::try_from(cues.len()).unwrap_or(i32::MAX)),
            webvtt: Set(media::captions::to_webvtt(&cues)),
            created_at: Set(self.backend.now()),
        };
        let track = track.insert(&transaction).await?;
        transaction.commit().await?;
        Ok(self.backend.caption_track(&track))
    }

    /// Removes a caption track.
    ///
    /// # Errors
    /// Refuses one that is not hers.
    pub async fn remove_caption(&self, id: CaptionId) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let track = queries::signed_caption(&transaction, id).await?.ok_or_else(Refusal::not_found)?;
        queries::video(&transaction, self.id, track.video_id).await?.ok_or_else(Refusal::not_found)?;
        caption::Entity::delete_by_id(id).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_codes() {
        for good in ["en", "fra", "pt-BR", "zh-Hant-TW"] {
            assert!(check_language(good).is_ok(), "{good}");
        }
        for bad in ["", "english language", "e", "en_US", "en-\"onload=", "x".repeat(40).as_str()] {
            assert!(check_language(bad).is_err(), "{bad}");
        }
    }
}
