//! A script at work: which fault is next.

use std::sync::{Arc, Mutex, PoisonError};

use super::selection::Asked;
use super::{Fault, Script};

/// The faults of the current script with their counts.
#[derive(Default)]
pub(crate) struct Running(Mutex<Vec<Rule>>);

struct Rule {
    fault: Arc<Fault>,
    /// Requests it was meant for, including those it let pass.
    met: u64,
}

impl Running {
    /// Starts a script from its beginning, in place of the one before.
    pub(crate) fn replace(&self, script: Script) {
        let rules = script.faults.into_iter().map(|fault| Rule {
            fault: Arc::new(fault),
            met: 0,
        });
        let rules = rules.collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// The fault that acts on this request. It counts as used from now on.
    pub(crate) fn next(&self, asked: &Asked<'_>) -> Option<Arc<Fault>> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules
            .iter_mut()
            .find_map(|rule| rule.meet(asked).then(|| Arc::clone(&rule.fault)))
    }
}

impl Rule {
    /// Counts the request if it is one for this fault, and says whether the
    /// fault acts on it.
    fn meet(&mut self, asked: &Asked<'_>) -> bool {
        let skip = u64::from(self.fault.skip);
        let used_up = |times| self.met >= skip + u64::from(times);
        if self.fault.times.is_some_and(used_up) || !self.fault.when.includes(asked) {
            return false;
        }
        self.met += 1;
        self.met > skip
    }
}
