//! The mails around a webinar: a coach's templates, and what each registrant gets of them and when.

use sea_orm_migration::prelude::*;

use super::{add, column, index, reference, unique};

/// The mails around a webinar.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let template = Table::create()
            .table(Alias::new("mail_template"))
            .col(column("id").uuid().not_null().primary_key())
            .col(column("webinar_id").uuid().not_null())
            .col(column("timing").text().not_null())
            .col(column("minutes").integer().not_null())
            .col(column("segment").text().not_null())
            .col(column("is_promotional").boolean().not_null())
            .col(column("is_on").boolean().not_null())
            .col(column("subject").text().not_null())
            .col(column("body").text().not_null())
            .col(column("added_at").big_integer().not_null())
            .col(column("changed_at").big_integer().not_null())
            .foreign_key(&mut reference("mail_template", "webinar_id", "webinar", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(template).await?;
        // Two first registrations at once make one sequence.
        let same = ["webinar_id", "timing", "minutes", "segment"];
        manager.create_index(unique("mail_template_time_key", "mail_template", &same)).await?;
        // No foreign key: a mail that went stays on record when its template is removed.
        let mut template_id = column("template_id");
        template_id.uuid();
        add(manager, "mail", template_id).await?;
        for name in ["send_at", "due_at", "useful_until_at", "decided_at"] {
            let mut moment = column(name);
            moment.big_integer();
            add(manager, "mail", moment).await?;
        }
        let mut reason = column("reason");
        reason.text();
        add(manager, "mail", reason).await?;
        manager.create_index(index("mail_due_idx", "mail", &["state", "due_at"])).await
    }
}
