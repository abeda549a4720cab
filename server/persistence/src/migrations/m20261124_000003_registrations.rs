//! People, what they booked, what they watched and what was mailed.

use sea_orm_migration::prelude::*;

use super::{index, reference, unique};

/// People, what they booked, what they watched and what was mailed.
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
            .table(Alias::new("subject"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("kind")).text().not_null())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("dek_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("email_bidx")).blob().not_null())
            .col(ColumnDef::new(Alias::new("email_ct")).blob().not_null())
            .col(ColumnDef::new(Alias::new("name_ct")).blob())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("subject", "coach_id", "coach", ForeignKeyAction::Restrict))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("subject_coach_email_key", "subject", &["coach_id", "email_bidx"])).await?;
        let table = Table::create()
            .table(Alias::new("registration"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("subject_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("session_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("link_version")).integer().not_null())
            .col(ColumnDef::new(Alias::new("answers_ct")).blob())
            .col(ColumnDef::new(Alias::new("source")).text().not_null())
            .col(ColumnDef::new(Alias::new("time_zone")).text())
            .col(ColumnDef::new(Alias::new("country")).text().not_null())
            .col(ColumnDef::new(Alias::new("device")).text().not_null())
            .col(ColumnDef::new(Alias::new("registered_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("proven_at")).big_integer())
            .col(ColumnDef::new(Alias::new("first_played_at")).big_integer())
            .col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("finalised_at")).big_integer())
            .col(ColumnDef::new(Alias::new("outcome")).text().not_null())
            .col(ColumnDef::new(Alias::new("unique_seconds")).integer().not_null())
            .col(ColumnDef::new(Alias::new("total_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("hidden_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("furthest_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("percent_milli")).integer().not_null())
            .col(ColumnDef::new(Alias::new("last_credit_at")).big_integer())
            .col(ColumnDef::new(Alias::new("current_video_id")).uuid())
            .foreign_key(&mut reference("registration", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("registration", "coach_id", "coach", ForeignKeyAction::Restrict))
            .foreign_key(&mut reference("registration", "subject_id", "subject", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("registration", "session_id", "session", ForeignKeyAction::Restrict))
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(unique("registration_webinar_subject_key", "registration", &["webinar_id", "subject_id"]))
            .await?;
        manager
            .create_index(index("registration_registered_idx", "registration", &["webinar_id", "registered_at"]))
            .await?;
        manager.create_index(index("registration_outcome_idx", "registration", &["webinar_id", "outcome"])).await?;
        manager.create_index(index("registration_subject_idx", "registration", &["subject_id"])).await?;
        manager.create_index(index("registration_coach_idx", "registration", &["coach_id", "registered_at"])).await?;
        let table = Table::create()
            .table(Alias::new("consent"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("subject_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("registration_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("consent_text_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("purpose")).text().not_null())
            .col(ColumnDef::new(Alias::new("method")).text().not_null())
            .col(ColumnDef::new(Alias::new("given_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("withdrawn_at")).big_integer())
            .foreign_key(&mut reference("consent", "subject_id", "subject", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("consent", "registration_id", "registration", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("consent", "consent_text_id", "consent_text", ForeignKeyAction::Restrict))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("consent_registration_idx", "consent", &["registration_id"])).await?;
        let table = Table::create()
            .table(Alias::new("view"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("registration_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("webinar_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("video_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("opened_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("first_played_at")).big_integer())
            .col(ColumnDef::new(Alias::new("last_beat_at")).big_integer())
            .col(ColumnDef::new(Alias::new("device")).text().not_null())
            .col(ColumnDef::new(Alias::new("country")).text().not_null())
            .foreign_key(&mut reference("view", "registration_id", "registration", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("view", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("view", "video_id", "video", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("view_registration_idx", "view", &["registration_id"])).await?;
        let table = Table::create()
            .table(Alias::new("beat"))
            .col(ColumnDef::new(Alias::new("view_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("seq")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("from_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("to_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("rate_milli")).integer().not_null())
            .col(ColumnDef::new(Alias::new("hidden")).boolean().not_null())
            .col(ColumnDef::new(Alias::new("muted")).boolean().not_null())
            .col(ColumnDef::new(Alias::new("captions")).boolean().not_null())
            .col(ColumnDef::new(Alias::new("at")).big_integer().not_null())
            .primary_key(Index::create().col(Alias::new("view_id")).col(Alias::new("seq")))
            .foreign_key(&mut reference("beat", "view_id", "view", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table(Alias::new("watch_map"))
            .col(ColumnDef::new(Alias::new("registration_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("video_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("seen")).blob().not_null())
            .col(ColumnDef::new(Alias::new("again")).blob().not_null())
            .col(ColumnDef::new(Alias::new("total_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("hidden_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("furthest_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("last_position_ms")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("updated_at")).big_integer().not_null())
            .primary_key(Index::create().col(Alias::new("registration_id")).col(Alias::new("video_id")))
            .foreign_key(&mut reference("watch_map", "registration_id", "registration", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("watch_map", "video_id", "video", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("watch_map_video_idx", "watch_map", &["video_id"])).await?;
        let table = Table::create()
            .table(Alias::new("status_change"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("registration_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("from_status")).text().not_null())
            .col(ColumnDef::new(Alias::new("to_status")).text().not_null())
            .col(ColumnDef::new(Alias::new("at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("cause")).text().not_null())
            .foreign_key(&mut reference("status_change", "registration_id", "registration", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("status_change_registration_idx", "status_change", &["registration_id"])).await?;
        let table = Table::create()
            .table(Alias::new("mail"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("registration_id")).uuid())
            .col(ColumnDef::new(Alias::new("one_time_token_id")).uuid())
            .col(ColumnDef::new(Alias::new("template")).text().not_null())
            .col(ColumnDef::new(Alias::new("dedupe_key")).text().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("note")).text())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("sent_at")).big_integer())
            .foreign_key(&mut reference("mail", "coach_id", "coach", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("mail", "registration_id", "registration", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("mail", "one_time_token_id", "one_time_token", ForeignKeyAction::SetNull))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("mail_dedupe_key", "mail", &["dedupe_key"])).await?;
        manager.create_index(index("mail_registration_idx", "mail", &["registration_id"])).await?;
        manager.create_index(index("mail_coach_idx", "mail", &["coach_id"])).await?;
        Ok(())
    }
}
