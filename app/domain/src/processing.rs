//! What personal data is used for: a closed list (promise P17).

/// A purpose of processing. There are four, and the data map says of every place which of them it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessingPurpose {
    /// To run webinars: accounts, registration, playback, results, and what people may ask for about their data.
    Provide,
    /// To find faults and make the service better.
    Improve,
    /// To send the mail a person asked for or has to get.
    Communicate,
    /// To take payments.
    Pay,
}

impl ProcessingPurpose {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Provide, Self::Improve, Self::Communicate, Self::Pay];

    /// Its name in the data map.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provide => "provide",
            Self::Improve => "improve",
            Self::Communicate => "communicate",
            Self::Pay => "pay",
        }
    }
}
