//! What the map does not say: names of files, what means nothing elsewhere, what a row needs beside it.

use super::Attachment;

/// Tables that are about this installation's dealings with the person, and mean nothing elsewhere.
pub(super) const STAYS: [&str; 12] = [
    "dsr_request",
    "export_archive",
    "legal_hold",
    "login",
    "one_time_token",
    "operator_access",
    "operator_seat",
    "policy_notice",
    "recovery_code",
    "suppression",
    "tombstone",
    "upload",
];
/// Columns of other tables for which the same holds: proofs and states of an account here, and of work under way here.
pub(super) const STAYING: [(&str, &str); 9] = [
    ("coach", "email_confirmed_at"),
    ("coach", "state"),
    ("coach", "terms_accepted_at"),
    ("coach", "terms_hash"),
    ("coach", "terms_version"),
    ("coach", "totp_enabled_at"),
    ("mail", "one_time_token_id"),
    ("video", "note"),
    ("video", "state"),
];
/// Names of files; a table that is not here is called as it is.
pub(super) const FILES: [(&str, &str); 21] = [
    ("beat", "events"),
    ("caption", "captions"),
    ("coach", "account"),
    ("consent", "consents"),
    ("consent_text", "consent_texts"),
    ("erased_total", "erased_totals"),
    ("mail", "messages"),
    ("mail_template", "mail_templates"),
    ("objection", "objections"),
    ("page_view", "page_views"),
    ("registration", "registrations"),
    ("restriction", "restrictions"),
    ("schedule_rule", "schedule_rules"),
    ("session", "sessions"),
    ("status_change", "status_changes"),
    ("subject", "people"),
    ("suppression", "suppressions"),
    ("video", "videos"),
    ("view", "views"),
    ("watch_map", "watch_maps"),
    ("webinar", "webinars"),
];
/// What a viewer's archive says of somebody else's rows, because her own would say nothing without it: all of it was
/// on the page she registered on.
pub(super) const CONTEXT: [(&str, &[&str], &str); 4] = [
    (
        "webinar",
        &["id", "slug", "title", "presenter"],
        "SELECT \"webinar_id\" FROM \"registration\" WHERE \"subject_id\" = $1",
    ),
    (
        "session",
        &["id", "webinar_id", "kind", "starts_at", "zone"],
        "SELECT \"session_id\" FROM \"registration\" WHERE \"subject_id\" = $1",
    ),
    (
        "consent_text",
        &["id", "webinar_id", "version", "text"],
        "SELECT \"consent_text_id\" FROM \"consent\" WHERE \"subject_id\" = $1",
    ),
    (
        "video",
        &["id", "webinar_id", "version", "duration_ms"],
        "SELECT \"video_id\" FROM \"view\" WHERE \"registration_id\" IN (SELECT \"id\" FROM \"registration\" WHERE \"subject_id\" = $1)",
    ),
];

/// What belongs to rows as files. Their prefixes are in the map under `objects`, with the same names.
pub(super) const ATTACHMENTS: [(&str, Attachment); 2] = [
    ("video", Attachment { key: "object_key", export: "media" }),
    ("webinar", Attachment { key: "logo_key", export: "logo" }),
];
/// Marks not to write to somebody are found by a keyed hash that means nothing elsewhere: they travel with the person.
pub(super) const DO_NOT_WRITE: &str = "EXISTS (SELECT 1 FROM \"suppression\" WHERE \"suppression\".\"coach_id\" = \
                            \"subject\".\"coach_id\" AND \"suppression\".\"email_bidx\" = \"subject\".\"email_bidx\" AND \
                            \"suppression\".\"channel\" <> 'bounced')";
