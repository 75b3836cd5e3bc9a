//! All states that can be reached, each once.

use std::collections::{BTreeSet, VecDeque};

use crate::rules::{Rules, Scenario, State};

/// Looks at every reachable state; how many there are.
pub(crate) fn explore(rules: Rules, scenario: Scenario, mut look: impl FnMut(&State)) -> usize {
    let mut seen = BTreeSet::from([State::first()]);
    let mut open = VecDeque::from([State::first()]);
    while let Some(state) = open.pop_front() {
        state.check();
        look(&state);
        for act in state.acts(rules, scenario) {
            let next = state.after(act);
            if seen.insert(next.clone()) {
                open.push_back(next);
            }
        }
    }
    seen.len()
}
