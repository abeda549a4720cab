//! The sequence a new webinar starts with (product.md §4.7): written to be sent as it is.
//!
//! The mails call a recording a recording, promise nothing that depends on the coach, and count nothing down but the
//! start itself. A reminder may be minutes late, so it names the time instead of the time left.

use super::{Segment, Timing};
use crate::watching::Attendance;

/// A template before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultTemplate {
    /// When it goes.
    pub timing: Timing,
    /// To whom.
    pub segment: Segment,
    /// Whether it sells something; none of these does.
    pub is_promotional: bool,
    /// One line with placeholders.
    pub subject: &'static str,
    /// Markdown with placeholders.
    pub body: &'static str,
}

impl DefaultTemplate {
    fn to_everybody(timing: Timing, subject: &'static str, body: &'static str) -> Self {
        Self { timing, segment: Segment::everybody(), is_promotional: false, subject, body }
    }

    fn afterwards(status: Attendance, subject: &'static str, body: &'static str) -> Self {
        let timing = Timing::After { minutes: 30 };
        Self { segment: Segment::with_status(status), ..Self::to_everybody(timing, subject, body) }
    }
}

/// Seven mails: the confirmation; reminders a day, an hour and ten minutes before; half an hour after the end one mail,
/// by how somebody watched.
#[must_use]
pub fn default_set() -> Vec<DefaultTemplate> {
    vec![
        DefaultTemplate::to_everybody(Timing::Confirmation, "Your link: {{webinar}}", CONFIRMATION),
        DefaultTemplate::to_everybody(
            Timing::Before { minutes: 1_440 },
            "{{session_day|Soon}}: {{webinar}}",
            A_DAY_BEFORE,
        ),
        DefaultTemplate::to_everybody(
            Timing::Before { minutes: 60 },
            "{{webinar}} begins at {{session_time}}",
            AN_HOUR_BEFORE,
        ),
        DefaultTemplate::to_everybody(Timing::Before { minutes: 10 }, "Your way in: {{webinar}}", TEN_MINUTES_BEFORE),
        DefaultTemplate::afterwards(Attendance::AttendedToEnd, "Thank you for watching {{webinar}}", ATTENDED),
        DefaultTemplate::afterwards(Attendance::LeftEarly, "The rest of {{webinar}}", LEFT_EARLY),
        DefaultTemplate::afterwards(Attendance::Missed, "You missed {{webinar}}", MISSED),
    ]
}

const CONFIRMATION: &str = "\
Hello {{first_name|there}},

you have a place in **{{webinar}}** with {{presenter|your host}}.

When: **{{session_day|whenever it suits you}}**, {{session_time|from now on}} {{time_zone|}}

[Open your page]({{link}})

The link is yours alone, so please keep this mail. What you will see is a recording of {{duration}}; you need nothing \
but a browser.

Warm regards,

{{presenter|your host}}
";

const A_DAY_BEFORE: &str = "\
Hello {{first_name|there}},

a short reminder: **{{webinar}}** begins on {{session_day}} at {{session_time}} ({{time_zone}}). It is a recording of \
{{duration}}.

Everything you need is behind this link:

[Open your page]({{link}})

If you have not noted the time yet, here is [the entry for your calendar]({{calendar_link}}).

Warm regards,

{{presenter|your host}}
";

const AN_HOUR_BEFORE: &str = "\
Hello {{first_name|there}},

**{{webinar}}** begins at {{session_time}} ({{time_zone}}). Time enough for a cup of tea.

[Open your page]({{link}})

Warm regards,

{{presenter|your host}}
";

const TEN_MINUTES_BEFORE: &str = "\
Hello {{first_name|there}},

it is nearly time: **{{webinar}}** begins at {{session_time}}. Open your page now, and the recording starts by itself.

[Open your page]({{link}})

Enjoy it,

{{presenter|your host}}
";

const ATTENDED: &str = "\
Hello {{first_name|there}},

thank you for watching **{{webinar}}** to the end.

What will you try first? If a question came up, just reply to this mail.

All the best,

{{presenter|your host}}
";

const LEFT_EARLY: &str = "\
Hello {{first_name|there}},

thank you for looking in on **{{webinar}}**. You have seen {{percent_watched}} % of it, and perhaps something came up.

On your page you see whether you can still watch the rest:

[Open your page]({{link}})

And if it was not what you hoped for, just reply to this mail and say so.

All the best,

{{presenter|your host}}
";

const MISSED: &str = "\
Hello {{first_name|there}},

you had a place in **{{webinar}}**, and it seems that something got in the way. That happens.

On your page you see whether you can still watch it:

[Open your page]({{link}})

All the best,

{{presenter|your host}}
";
