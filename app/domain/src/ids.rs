//! Typed ids: one newtype per kind of row, so that a webinar's id can never be passed where a video's is meant.
//!
//! Ids are UUIDv7: they sort by creation and are made only on the server. They are not secrets; tokens are
//! separate types, stored hashed.

/// Declares an id type. With the `server` feature it can also be made and stored.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "server", derive(sea_orm::DeriveValueType))]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id, ordered after every id made before it.
            #[cfg(feature = "server")]
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a default id would hide a forgotten one")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            /// The id's sixteen bytes, as used for associated data of sealed values.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        // sea-orm wants this of every primary key; a UUID has no integer form.
        #[cfg(feature = "server")]
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    };
}

id!(
    /// A coach's account.
    CoachId
);
id!(
    /// One signed-in browser of a coach.
    LoginId
);
id!(
    /// A one-time token mailed to a coach (the id of its row, not its secret).
    OneTimeTokenId
);
id!(
    /// A recovery code for the second factor.
    RecoveryCodeId
);
id!(
    /// A person whose data a coach holds: unique per coach and e-mail address.
    SubjectId
);
id!(
    /// A data-encryption key in the keyring.
    DekId
);
id!(
    /// A webinar: one recording, one page, one set of rules.
    WebinarId
);
id!(
    /// One version of the wording a registrant agrees to.
    ConsentTextId
);
id!(
    /// One person's agreement to one wording.
    ConsentId
);
id!(
    /// A rule that yields sessions.
    ScheduleRuleId
);
id!(
    /// One session of a webinar.
    SessionId
);
id!(
    /// One person booked on one webinar.
    RegistrationId
);
id!(
    /// One visit to the room.
    ViewId
);
id!(
    /// One version of a webinar's recording.
    VideoId
);
id!(
    /// A resumable upload.
    UploadId
);
id!(
    /// A caption track of a video.
    CaptionId
);
id!(
    /// A unit of background work.
    JobId
);
id!(
    /// A mail in the outbox.
    MailId
);
id!(
    /// A mail of a webinar's sequence, as its coach wrote it.
    MailTemplateId
);
id!(
    /// A logged change of a registration's status.
    StatusChangeId
);
id!(
    /// A request to use a right over one's data.
    RequestId
);
id!(
    /// One step of such a request.
    RequestTaskId
);
id!(
    /// The mark that somebody was erased.
    TombstoneId
);
id!(
    /// A restriction of processing.
    RestrictionId
);
id!(
    /// An objection to a use of data.
    ObjectionId
);
id!(
    /// A ground to keep what should be erased.
    LegalHoldId
);
id!(
    /// A mark not to write to somebody.
    SuppressionId
);
id!(
    /// An archive of everything held about somebody.
    ExportId
);
id!(
    /// A logged look of an operator at a coach's data.
    OperatorAccessId
);
id!(
    /// A request of an authority.
    DisclosureId
);
id!(
    /// A review of how the service is secured.
    SecurityReviewId
);
id!(
    /// A breach of personal data.
    IncidentId
);
id!(
    /// A link and a code mailed to prove an address.
    PortalProofId
);
id!(
    /// A backup in the catalogue.
    BackupId
);
