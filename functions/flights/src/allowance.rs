//! How many searches that only compare days a process may put to Duffel in a day: it charges for searches beyond 1,500 a booking.

use std::sync::Mutex;

use jiff::civil::Date;

/// So many searches a day, UTC; none unless an operator allows them.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    a_day: u32,
    used: Mutex<Option<(Date, u32)>>,
}

impl Allowance {
    pub(crate) fn new(a_day: u32) -> Self {
        Self { a_day, used: Mutex::default() }
    }

    /// Takes one of today's searches, where one is left.
    pub(crate) fn take(&self, today: Date) -> bool {
        let mut used = self.used.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let before = used.filter(|(day, _)| *day == today).map_or(0, |(_, count)| count);
        let is_left = before < self.a_day;
        *used = Some((today, before + u32::from(is_left)));
        is_left
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn so_many_a_day_and_none_unless_allowed() {
        let (today, tomorrow) = (date(2026, 11, 20), date(2026, 11, 21));
        assert!(!Allowance::default().take(today));
        let allowance = Allowance::new(2);
        let taken = [today, today, today, tomorrow, tomorrow, tomorrow].map(|day| allowance.take(day));
        assert_eq!(taken, [true, true, false, true, true, false]);
    }
}
