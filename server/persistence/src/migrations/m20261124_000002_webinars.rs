//! Webinars, their sessions and recordings.

use sea_orm_migration::prelude::*;

use super::{index, reference, unique};

/// Webinars, their sessions and recordings.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Alias::new("webinar"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("slug")).text().not_null())
            .col(ColumnDef::new(Alias::new("title")).text().not_null())
            .col(ColumnDef::new(Alias::new("description")).text().not_null())
            .col(ColumnDef::new(Alias::new("presenter")).text().not_null())
            .col(ColumnDef::new(Alias::new("accent")).text().not_null())
            .col(ColumnDef::new(Alias::new("session_kind")).text().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("link_days")).integer().not_null())
            .col(ColumnDef::new(Alias::new("recorded_month")).text().not_null())
            .col(ColumnDef::new(Alias::new("fields")).text().not_null())
            .col(ColumnDef::new(Alias::new("consent_text_id")).uuid())
            .col(ColumnDef::new(Alias::new("embed_hosts")).text().not_null())
            .col(ColumnDef::new(Alias::new("end_percent")).integer().not_null())
            .col(ColumnDef::new(Alias::new("floor_seconds")).integer().not_null())
            .col(ColumnDef::new(Alias::new("logo_key")).text())
            .col(ColumnDef::new(Alias::new("logo_type")).text())
            .col(ColumnDef::new(Alias::new("current_video_id")).uuid())
            .col(ColumnDef::new(Alias::new("closed_at")).big_integer())
            .col(ColumnDef::new(Alias::new("revision")).integer().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("updated_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("published_at")).big_integer())
            .foreign_key(&mut reference("webinar", "coach_id", "coach", ForeignKeyAction::Restrict))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("webinar_slug_key", "webinar", &["slug"])).await?;
        manager.create_index(index("webinar_coach_idx", "webinar", &["coach_id", "updated_at"])).await?;
        let table = Table::create()
            .table(Alias::new("consent_text"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("version")).integer().not_null())
            .col(ColumnDef::new(Alias::new("text")).text().not_null())
            .col(ColumnDef::new(Alias::new("text_hash")).blob().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("consent_text", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("consent_text_version_key", "consent_text", &["webinar_id", "version"])).await?;
        let table = Table::create()
            .table(Alias::new("schedule_rule"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("kind")).text().not_null())
            .col(ColumnDef::new(Alias::new("zone")).text())
            .col(ColumnDef::new(Alias::new("wall_time")).text())
            .col(ColumnDef::new(Alias::new("rule")).text().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("schedule_rule", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("schedule_rule_webinar_idx", "schedule_rule", &["webinar_id"])).await?;
        let table = Table::create()
            .table(Alias::new("session"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("schedule_rule_id")).uuid())
            .col(ColumnDef::new(Alias::new("kind")).text().not_null())
            .col(ColumnDef::new(Alias::new("starts_at")).big_integer())
            .col(ColumnDef::new(Alias::new("zone")).text())
            .col(ColumnDef::new(Alias::new("wall_time")).text())
            .col(ColumnDef::new(Alias::new("session_key")).text().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("session", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("session", "schedule_rule_id", "schedule_rule", ForeignKeyAction::SetNull))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("session_key_key", "session", &["webinar_id", "session_key"])).await?;
        let table = Table::create()
            .table(Alias::new("video"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("version")).integer().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("note")).text())
            .col(ColumnDef::new(Alias::new("file_name")).text().not_null())
            .col(ColumnDef::new(Alias::new("size_bytes")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("sha256")).blob())
            .col(ColumnDef::new(Alias::new("content_type")).text().not_null())
            .col(ColumnDef::new(Alias::new("container")).text().not_null())
            .col(ColumnDef::new(Alias::new("duration_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("width")).integer().not_null())
            .col(ColumnDef::new(Alias::new("height")).integer().not_null())
            .col(ColumnDef::new(Alias::new("video_codec")).text().not_null())
            .col(ColumnDef::new(Alias::new("audio_codec")).text().not_null())
            .col(ColumnDef::new(Alias::new("object_key")).text().not_null())
            .col(ColumnDef::new(Alias::new("playable_key")).text().not_null())
            .col(ColumnDef::new(Alias::new("poster_count")).integer().not_null())
            .col(ColumnDef::new(Alias::new("poster_index")).integer().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("video", "coach_id", "coach", ForeignKeyAction::Restrict))
            .foreign_key(&mut reference("video", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("video_version_key", "video", &["webinar_id", "version"])).await?;
        manager.create_index(index("video_coach_idx", "video", &["coach_id"])).await?;
        let table = Table::create()
            .table(Alias::new("upload"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("file_name")).text().not_null())
            .col(ColumnDef::new(Alias::new("length_bytes")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("offset_bytes")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("object_key")).text().not_null())
            .col(ColumnDef::new(Alias::new("parts")).text().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("note")).text())
            .col(ColumnDef::new(Alias::new("video_id")).uuid())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("updated_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null())
            .foreign_key(&mut reference("upload", "coach_id", "coach", ForeignKeyAction::Restrict))
            .foreign_key(&mut reference("upload", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("upload_coach_idx", "upload", &["coach_id", "state"])).await?;
        manager.create_index(index("upload_expiry_idx", "upload", &["state", "expires_at"])).await?;
        let table = Table::create()
            .table(Alias::new("caption"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("video_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("language")).text().not_null())
            .col(ColumnDef::new(Alias::new("label")).text().not_null())
            .col(ColumnDef::new(Alias::new("cue_count")).integer().not_null())
            .col(ColumnDef::new(Alias::new("webvtt")).text().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("caption", "video_id", "video", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("caption_track_key", "caption", &["video_id", "language", "label"])).await?;
        let table = Table::create()
            .table(Alias::new("page_view"))
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("day")).integer().not_null())
            .col(ColumnDef::new(Alias::new("device")).text().not_null())
            .col(ColumnDef::new(Alias::new("country")).text().not_null())
            .col(ColumnDef::new(Alias::new("source")).text().not_null())
            .col(ColumnDef::new(Alias::new("views")).big_integer().not_null())
            .primary_key(
                Index::create()
                    .col(Alias::new("webinar_id"))
                    .col(Alias::new("day"))
                    .col(Alias::new("device"))
                    .col(Alias::new("country"))
                    .col(Alias::new("source")),
            )
            .foreign_key(&mut reference("page_view", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}
