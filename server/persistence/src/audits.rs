//! Queries of the audit chain. What an entry means, and whether the chain holds, is `privacy`'s business.

use domain::Moment;
use domain::ids::RequestId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, Statement,
};

use crate::entities::audit_entry;

/// Taken by whoever appends, until the transaction ends: there is one chain, and entries come one after the other. Any
/// number does that nobody else uses.
const CHAIN_LOCK: i64 = 0x6d77_6175_6469_7401;

/// An entry before its hash is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number, without gaps.
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub event: String,
    /// In the course of which request.
    pub request_id: Option<RequestId>,
    /// Who, as a part.
    pub actor_role: String,
    /// About which class of data.
    pub class: String,
    /// How much, as a power of ten.
    pub count_bucket: String,
    /// Hash of the data map that was in force.
    pub map_hash: Vec<u8>,
    /// Hash of the entry before.
    pub prev: Vec<u8>,
}

impl From<audit_entry::Model> for Entry {
    fn from(row: audit_entry::Model) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            event: row.event,
            request_id: row.request_id,
            actor_role: row.actor_role,
            class: row.class,
            count_bucket: row.count_bucket,
            map_hash: row.map_hash,
            prev: row.prev,
        }
    }
}

/// The last entry, with the end of the chain held until the transaction ends. On SQLite the writer is alone anyway.
///
/// # Errors
/// When the database fails.
pub async fn hold_last(conn: &impl ConnectionTrait) -> Result<Option<audit_entry::Model>, DbErr> {
    if conn.get_database_backend() == DbBackend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({CHAIN_LOCK})");
        conn.execute_raw(Statement::from_string(DbBackend::Postgres, lock)).await?;
    }
    audit_entry::Entity::find().order_by_desc(audit_entry::Column::Seq).one(conn).await
}

/// Adds an entry.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &impl ConnectionTrait, entry: Entry, hash: Vec<u8>) -> Result<(), DbErr> {
    let row = audit_entry::ActiveModel {
        seq: Set(entry.seq),
        at: Set(entry.at),
        event: Set(entry.event),
        request_id: Set(entry.request_id),
        actor_role: Set(entry.actor_role),
        class: Set(entry.class),
        count_bucket: Set(entry.count_bucket),
        map_hash: Set(entry.map_hash),
        prev: Set(entry.prev),
        hash: Set(hash),
    };
    audit_entry::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Up to `limit` entries after a number, in order.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &impl ConnectionTrait, seq: i64, limit: u64) -> Result<Vec<audit_entry::Model>, DbErr> {
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Seq.gt(seq))
        .order_by_asc(audit_entry::Column::Seq)
        .limit(limit)
        .all(conn)
        .await
}

/// Removes entries from the beginning of the chain that were written before a moment; never one from its middle, and
/// never the last one, which the next names.
///
/// # Errors
/// When the database fails.
pub async fn prune(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let kept: Option<i64> = audit_entry::Entity::find()
        .select_only()
        .column(audit_entry::Column::Seq)
        .filter(audit_entry::Column::At.gte(before))
        .order_by_asc(audit_entry::Column::Seq)
        .into_tuple()
        .one(conn)
        .await?;
    let Some(first_kept) = (match kept {
        Some(seq) => Some(seq),
        None => hold_last(conn).await?.map(|last| last.seq),
    }) else {
        return Ok(0);
    };
    let done = audit_entry::Entity::delete_many().filter(audit_entry::Column::Seq.lt(first_kept)).exec(conn).await?;
    Ok(done.rows_affected)
}
