//! Rights of people over their data: requests, restrictions, tombstones, archives, the audit chain, and who may look.

use sea_orm_migration::prelude::*;

use super::{add, column, index, reference, unique};

/// Rights of people over their data.
#[derive(DeriveMigrationName)]
pub struct Migration;

fn table(name: &str, columns: &mut [&mut ColumnDef]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name));
    for column in columns {
        table.col(&mut **column);
    }
    table
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut state = column("state");
        state.text().not_null().default("active");
        add(manager, "coach", state).await?;
        let mut terms_hash = column("terms_hash");
        terms_hash.blob();
        add(manager, "coach", terms_hash).await?;
        let mut credentials_changed_at = column("credentials_changed_at");
        credentials_changed_at.big_integer();
        add(manager, "coach", credentials_changed_at).await?;
        let mut state_before = column("state_before");
        state_before.text();
        add(manager, "coach", state_before).await?;
        let mut closes_at = column("closes_at");
        closes_at.big_integer();
        add(manager, "coach", closes_at).await?;
        let mut retention_days = column("retention_days");
        retention_days.integer();
        add(manager, "webinar", retention_days).await?;
        let mut ask_age = column("ask_age");
        ask_age.boolean().not_null().default(false);
        add(manager, "webinar", ask_age).await?;
        dsr_request(manager).await?;
        dsr_task(manager).await?;
        tombstone(manager).await?;
        restriction(manager).await?;
        objection(manager).await?;
        legal_hold(manager).await?;
        suppression(manager).await?;
        export_archive(manager).await?;
        audit_entry(manager).await?;
        operator_seat(manager).await?;
        operator_access(manager).await?;
        disclosure(manager).await?;
        security_review(manager).await?;
        incident(manager).await?;
        incident_coach(manager).await?;
        policy_notice(manager).await?;
        portal_proof(manager).await?;
        portal_session(manager).await?;
        by_blind_index(manager).await?;
        backup_copy(manager).await?;
        restore_run(manager).await?;
        erased_total(manager).await
    }
}

async fn dsr_request(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "dsr_request",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("regime").text().not_null(),
            column("kind").text().not_null(),
            column("subject_kind").text().not_null(),
            column("coach_id").uuid(),
            column("subject_id").uuid(),
            column("subject_ref").blob().not_null(),
            column("dek_id").uuid().not_null(),
            column("details_ct").blob(),
            column("state").text().not_null(),
            column("reason").text(),
            column("received_at").big_integer().not_null(),
            column("verified_at").big_integer(),
            column("undo_until").big_integer(),
            column("due_at").big_integer().not_null(),
            column("extended_to").big_integer(),
            column("completed_at").big_integer(),
            column("receipt").text(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(index("dsr_request_state_idx", "dsr_request", &["state", "due_at"])).await?;
    manager.create_index(index("dsr_request_coach_idx", "dsr_request", &["coach_id", "received_at"])).await?;
    manager.create_index(index("dsr_request_subject_idx", "dsr_request", &["subject_id"])).await?;
    Ok(())
}

async fn dsr_task(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "dsr_task",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("request_id").uuid().not_null(),
            column("target").text().not_null(),
            column("state").text().not_null(),
            column("attempts").integer().not_null(),
            column("lease_until").big_integer(),
            column("removed").big_integer().not_null(),
            column("retained").text().not_null(),
            column("note").text(),
            column("updated_at").big_integer().not_null(),
            column("finished_at").big_integer(),
        ],
    );
    table.foreign_key(&mut reference("dsr_task", "request_id", "dsr_request", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(unique("dsr_task_target_key", "dsr_task", &["request_id", "target"])).await?;
    Ok(())
}

async fn tombstone(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "tombstone",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("coach_id").uuid().not_null(),
            column("email_bidx").blob(),
            column("cause").text().not_null(),
            column("created_at").big_integer().not_null(),
            column("expires_at").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(unique("tombstone_person_key", "tombstone", &["coach_id", "email_bidx"])).await?;
    Ok(())
}

async fn restriction(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "restriction",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("subject_id").uuid().not_null(),
            column("ground").text().not_null(),
            column("from_at").big_integer().not_null(),
            column("lift_notice_at").big_integer(),
            column("lifted_at").big_integer(),
        ],
    );
    table.foreign_key(&mut reference("restriction", "subject_id", "subject", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(index("restriction_subject_idx", "restriction", &["subject_id"])).await?;
    Ok(())
}

async fn objection(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "objection",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("subject_id").uuid().not_null(),
            column("scope").text().not_null(),
            column("reason_ct").blob(),
            column("answer_ct").blob(),
            column("made_at").big_integer().not_null(),
            column("answer_due_at").big_integer().not_null(),
            column("decision").text(),
            column("decided_at").big_integer(),
        ],
    );
    table.foreign_key(&mut reference("objection", "subject_id", "subject", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(index("objection_subject_idx", "objection", &["subject_id"])).await?;
    Ok(())
}

async fn legal_hold(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "legal_hold",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("coach_id").uuid().not_null(),
            column("subject_id").uuid(),
            column("ground").text().not_null(),
            column("classes").text().not_null(),
            column("until_at").big_integer().not_null(),
            column("approved_by").text().not_null(),
            column("created_at").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(index("legal_hold_coach_idx", "legal_hold", &["coach_id"])).await?;
    Ok(())
}

async fn suppression(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "suppression",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("coach_id").uuid().not_null(),
            column("email_bidx").blob().not_null(),
            column("channel").text().not_null(),
            column("created_at").big_integer().not_null(),
        ],
    );
    table.foreign_key(&mut reference("suppression", "coach_id", "coach", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager
        .create_index(unique("suppression_person_key", "suppression", &["coach_id", "email_bidx", "channel"]))
        .await?;
    Ok(())
}

async fn export_archive(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "export_archive",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("subject_kind").text().not_null(),
            column("coach_id").uuid().not_null(),
            column("subject_id").uuid(),
            column("dek_id").uuid().not_null(),
            column("state").text().not_null(),
            column("step").text().not_null(),
            column("done_rows").big_integer().not_null(),
            column("total_rows").big_integer().not_null(),
            column("omissions").integer().not_null(),
            column("object_key").text(),
            column("size_bytes").big_integer(),
            column("sha256").blob(),
            column("downloads").integer().not_null(),
            column("created_at").big_integer().not_null(),
            column("ready_at").big_integer(),
            column("expires_at").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(index("export_archive_coach_idx", "export_archive", &["coach_id", "created_at"])).await?;
    Ok(())
}

async fn audit_entry(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "audit_entry",
        &mut [
            column("seq").big_integer().not_null().primary_key(),
            column("at").big_integer().not_null(),
            column("event").text().not_null(),
            column("request_id").uuid(),
            column("actor_role").text().not_null(),
            column("class").text().not_null(),
            column("count_bucket").text().not_null(),
            column("map_hash").blob().not_null(),
            column("prev").blob().not_null(),
            column("hash").blob().not_null(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

async fn operator_seat(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "operator_seat",
        &mut [
            column("seat").integer().not_null().primary_key().check(Expr::col(Alias::new("seat")).is_in([1, 2])),
            column("coach_id").uuid().not_null(),
            column("since").big_integer().not_null(),
        ],
    );
    table.foreign_key(&mut reference("operator_seat", "coach_id", "coach", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(unique("operator_seat_coach_key", "operator_seat", &["coach_id"])).await?;
    Ok(())
}

async fn operator_access(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "operator_access",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("seat").integer().not_null(),
            column("coach_id").uuid().not_null(),
            column("what").text().not_null(),
            column("reason").text().not_null(),
            column("at").big_integer().not_null(),
        ],
    );
    table.foreign_key(&mut reference("operator_access", "coach_id", "coach", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(index("operator_access_coach_idx", "operator_access", &["coach_id", "at"])).await?;
    Ok(())
}

async fn disclosure(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "disclosure",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("received_at").big_integer().not_null(),
            column("authority").text().not_null(),
            column("legal_basis").text().not_null(),
            column("classes").text().not_null(),
            column("subject_count").integer().not_null(),
            column("asked_by_seat").integer().not_null(),
            column("approved_by_seat").integer(),
            column("approved_at").big_integer(),
            column("given_at").big_integer(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

async fn security_review(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "security_review",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("held_at").big_integer().not_null(),
            column("seat").integer().not_null(),
            column("summary").text().not_null(),
            column("next_due_at").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

async fn incident(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "incident",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("class").text().not_null(),
            column("from_at").big_integer().not_null(),
            column("to_at").big_integer().not_null(),
            column("found_at").big_integer().not_null(),
            column("report_due_at").big_integer().not_null(),
            column("reported_at").big_integer(),
            column("seat").integer().not_null(),
            column("summary").text().not_null(),
            column("coaches").big_integer().not_null(),
            column("people").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

async fn incident_coach(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "incident_coach",
        &mut [
            column("incident_id").uuid().not_null(),
            column("coach_id").uuid().not_null(),
            column("is_own").boolean().not_null(),
            column("people").big_integer().not_null(),
            column("told_at").big_integer().not_null(),
        ],
    );
    table.primary_key(Index::create().col(Alias::new("incident_id")).col(Alias::new("coach_id")));
    table.foreign_key(&mut reference("incident_coach", "incident_id", "incident", ForeignKeyAction::Cascade));
    table.foreign_key(&mut reference("incident_coach", "coach_id", "coach", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    manager.create_index(index("incident_coach_coach_idx", "incident_coach", &["coach_id"])).await?;
    Ok(())
}

async fn policy_notice(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "policy_notice",
        &mut [
            column("coach_id").uuid().not_null(),
            column("version").text().not_null(),
            column("noticed_at").big_integer().not_null(),
            column("acknowledged_at").big_integer(),
        ],
    );
    table.primary_key(Index::create().col(Alias::new("coach_id")).col(Alias::new("version")));
    table.foreign_key(&mut reference("policy_notice", "coach_id", "coach", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    Ok(())
}

async fn portal_proof(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "portal_proof",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("purpose").text().not_null(),
            column("address_mac").blob().not_null(),
            column("dek_id").uuid().not_null(),
            column("address_ct").blob(),
            column("token_hash").blob().not_null(),
            column("code_mac").blob().not_null(),
            column("tries").integer().not_null(),
            column("created_at").big_integer().not_null(),
            column("expires_at").big_integer().not_null(),
            column("used_at").big_integer(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(unique("portal_proof_token_key", "portal_proof", &["token_hash"])).await?;
    manager.create_index(index("portal_proof_address_idx", "portal_proof", &["address_mac"])).await?;
    Ok(())
}

async fn portal_session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "portal_session",
        &mut [
            column("token_hash").blob().not_null().primary_key(),
            column("address_ct").blob().not_null(),
            column("created_at").big_integer().not_null(),
            column("expires_at").big_integer().not_null(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

/// The portal asks about one address at every coach at once: by the index alone, since each coach has her own key for it.
async fn by_blind_index(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.create_index(index("subject_email_idx", "subject", &["email_bidx"])).await?;
    manager.create_index(index("tombstone_email_idx", "tombstone", &["email_bidx"])).await
}

async fn backup_copy(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "backup_copy",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("store").text().not_null(),
            column("file_name").text().not_null(),
            column("size_bytes").big_integer().not_null(),
            column("sha256").blob().not_null(),
            column("created_at").big_integer().not_null(),
            column("expires_at").big_integer().not_null(),
            column("verified_at").big_integer(),
            column("removed_at").big_integer(),
        ],
    );
    manager.create_table(table).await?;
    manager.create_index(index("backup_copy_expiry_idx", "backup_copy", &["expires_at"])).await?;
    Ok(())
}

async fn restore_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = table(
        "restore_run",
        &mut [
            column("id").uuid().not_null().primary_key(),
            column("snapshot_at").big_integer().not_null(),
            column("restored_at").big_integer().not_null(),
            column("finished_at").big_integer(),
        ],
    );
    manager.create_table(table).await?;
    Ok(())
}

async fn erased_total(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = table(
        "erased_total",
        &mut [
            column("webinar_id").uuid().not_null(),
            column("outcome").text().not_null(),
            column("people").big_integer().not_null(),
        ],
    );
    table.primary_key(Index::create().col(Alias::new("webinar_id")).col(Alias::new("outcome")));
    table.foreign_key(&mut reference("erased_total", "webinar_id", "webinar", ForeignKeyAction::Cascade));
    manager.create_table(table).await?;
    Ok(())
}
