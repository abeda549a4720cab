//! A link and a code mailed to an address so that its owner can prove it is theirs.

use domain::Moment;
use domain::ids::{DekId, PortalProofId};
use sea_orm::entity::prelude::*;

/// A link and a code mailed to an address so that its owner can prove it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_proof")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PortalProofId,
    /// What it is good for, in stored form.
    pub purpose: String,
    /// Keyed hash of purpose and address.
    pub address_mac: Vec<u8>,
    /// The key of the address, which goes when the proof is used or swept.
    pub dek_id: DekId,
    /// The address, until the proof is used.
    pub address_ct: Option<Vec<u8>>,
    /// Hash of the link's token.
    pub token_hash: Vec<u8>,
    /// Keyed hash of the code.
    pub code_mac: Vec<u8>,
    /// Wrong codes typed.
    pub tries: i32,
    /// When it was made.
    pub created_at: Moment,
    /// When it stops working.
    pub expires_at: Moment,
    /// When it was used.
    pub used_at: Option<Moment>,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
