//! Calendar dates out of milliseconds since the epoch.

/// A moment in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utc {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Utc {
    /// The moment that lies this many milliseconds after the epoch.
    pub(crate) fn at(ms: i64) -> Self {
        let seconds = ms.div_euclid(1000);
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        Self {
            year,
            month,
            day,
            second_of_day: seconds.rem_euclid(86_400),
        }
    }

    /// `MM-DD-YYYY HH:MM:SS`, as the registry's error reports have it.
    pub(crate) fn american(self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        format!("{month:02}-{day:02}-{year:04} {}", self.time())
    }

    /// `YYYY-MM-DD HH:MM:SS`, as Catalog's `enabledAt:` has it.
    pub(crate) fn plain(self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        format!("{year:04}-{month:02}-{day:02} {}", self.time())
    }

    fn time(self) -> String {
        let s = self.second_of_day;
        format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// Year, month and day of a day counted from 1970-01-01, by counting from 1 March of the year 0 in cycles of 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 {
        march_based + 3
    } else {
        march_based - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
