//! Half an hour in which somebody who proved an address sees what is held about it.

use domain::Moment;
use sea_orm::entity::prelude::*;

/// Half an hour in which somebody who proved an address sees what is held about it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_session")]
pub struct Model {
    /// Hash of the browser's token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    /// The address under a key made from that token: without the browser nobody reads it.
    pub address_ct: Vec<u8>,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
