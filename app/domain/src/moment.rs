//! An instant in UTC with microsecond precision, the only form in which time is stored or compared.
//!
//! Microseconds in an `i64` sort alike in SQLite and PostgreSQL and reach far beyond any date the product meets.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(sea_orm::DeriveValueType))]
pub struct Moment(pub i64);

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Moment {
    /// From whole seconds since the epoch; what lies further off than a moment can is the furthest one, because the
    /// seconds may come from an address somebody typed.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Milliseconds since the epoch, rounded down, as browsers count.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant moved by `seconds` (negative moves back); saturates at the ends of time.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// This instant moved by whole 24-hour days.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0.saturating_sub(earlier.0)) as f64 / MICROS_PER_SECOND as f64
    }

    /// Days since the epoch in UTC: the key of daily counters.
    #[must_use]
    pub const fn day(self) -> i32 {
        self.0.div_euclid(86_400 * MICROS_PER_SECOND) as i32
    }

    /// As a jiff timestamp.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// From a jiff timestamp; anything finer than a microsecond is dropped.
    #[must_use]
    pub fn from_timestamp(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }

    /// RFC 3339 in UTC, to the second, as `<time datetime>` wants it.
    #[must_use]
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.unix_seconds()).unwrap_or(jiff::Timestamp::MAX).to_string()
    }

    /// Reads what [`std::fmt::Display`] writes: RFC 3339 in UTC, to the microsecond, without loss.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.ends_with('Z').then(|| text.parse().ok()).flatten().map(Self::from_timestamp)
    }

    /// `24 November 2026, 01:54 UTC`: what a page prints before the browser localises it.
    #[must_use]
    pub fn utc_text(self) -> String {
        let civil = jiff::tz::Offset::UTC.to_datetime(self.timestamp());
        format!(
            "{} {} {}, {:02}:{:02} UTC",
            civil.day(),
            MONTHS[usize::from(civil.month().unsigned_abs()) - 1],
            civil.year(),
            civil.hour(),
            civil.minute()
        )
    }

    /// `November 2026`.
    #[must_use]
    pub fn month_text(self) -> String {
        let civil = jiff::tz::Offset::UTC.to_datetime(self.timestamp());
        format!("{} {}", MONTHS[usize::from(civil.month().unsigned_abs()) - 1], civil.year())
    }
}

/// English month names, January first.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `Tue, 24 Nov 2026 01:54:09 GMT`: a date in an HTTP header (RFC 9110 §5.6.7).
#[must_use]
pub fn http_date(moment: Moment) -> String {
    let civil = jiff::tz::Offset::UTC.to_datetime(moment.timestamp());
    let weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        [usize::from(civil.weekday().to_monday_zero_offset().unsigned_abs())];
    let month = &MONTHS[usize::from(civil.month().unsigned_abs()) - 1][..3];
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        civil.day(),
        civil.year(),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.timestamp().fmt(formatter)
    }
}

impl std::str::FromStr for Moment {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(Self::from_timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_agree_on_the_instant() {
        let moment: Moment = "2026-11-24T01:54:09Z".parse().expect("valid");
        assert_eq!(moment.rfc3339(), "2026-11-24T01:54:09Z");
        assert_eq!(moment.utc_text(), "24 November 2026, 01:54 UTC");
        assert_eq!(moment.month_text(), "November 2026");
        assert_eq!(Moment::from_unix_seconds(moment.unix_seconds()), moment);
        assert_eq!(Moment::from_unix_seconds(i64::MAX), Moment(i64::MAX));
    }

    #[test]
    fn http_dates_have_the_fixed_form() {
        let moment: Moment = "1994-11-06T08:49:37Z".parse().expect("valid");
        assert_eq!(http_date(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn moving_past_the_end_of_time_saturates() {
        assert_eq!(Moment(i64::MAX).plus_seconds(1), Moment(i64::MAX));
    }
}
