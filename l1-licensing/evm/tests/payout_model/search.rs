//! The model as stateright takes it, and what must hold of every state.

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::rules::{ACTORS, Act, Actor, Rules, Scenario, State, Status};

/// Rules and what a search lets happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payouts {
    pub(crate) rules: Rules,
    pub(crate) scenario: Scenario,
}

pub(crate) const CONSERVED: &str =
    "money moves and is never made, and ten units are locked for each open batch";
pub(crate) const RIGHT_STANDS: &str = "a right batch is never void";
pub(crate) const HONEST_LOSES_NOTHING: &str = "a submitter of right batches loses nothing";
pub(crate) const NO_FRAUD_IS_FINAL: &str = "no wrong batch is final";
pub(crate) const FRAUD_COSTS: &str =
    "each fraud costs whoever made it six tenths at least, whoever challenges";
pub(crate) const COPY_EARNS_NOTHING: &str = "a copied proof earns nothing";
pub(crate) const VOID: &str = "a batch is void";
pub(crate) const FINAL: &str = "a batch is final";
pub(crate) const PAID: &str = "an award is paid";

impl Payouts {
    fn any(&self, state: &State, status: Status) -> bool {
        state.batches.iter().any(|batch| batch.status == status)
    }

    /// Batches with what the scenario says of them.
    fn with<'a>(&'a self, state: &'a State, wrong: bool) -> impl Iterator<Item = Status> + 'a {
        let batches = state.batches.iter().zip(self.scenario.wrong);
        batches.filter(move |(_, is_wrong)| *is_wrong == wrong).map(|(batch, _)| batch.status)
    }
}

impl Model for Payouts {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Act>) {
        actions.extend(state.acts(self.rules, self.scenario));
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        Some(state.after(act))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(CONSERVED, |_: &Self, state: &State| state.is_conserved()),
            Property::always(RIGHT_STANDS, |model: &Self, state: &State| {
                model.with(state, false).all(|status| status != Status::Void)
            }),
            Property::always(HONEST_LOSES_NOTHING, |model: &Self, state: &State| {
                model.scenario.wrong.contains(&true) || state.wealth(Actor::Submitter) == Rules::START
            }),
            Property::always(NO_FRAUD_IS_FINAL, |model: &Self, state: &State| {
                model.with(state, true).all(|status| status != Status::Final)
            }),
            Property::always(FRAUD_COSTS, |_: &Self, state: &State| {
                let voided = state.batches.iter().filter(|batch| batch.status == Status::Void).count();
                let most = usize::from(Rules::START).saturating_sub(6 * voided);
                // All three together: whoever claims for whom.
                let wealth = ACTORS.map(|actor| usize::from(state.wealth(actor)));

                wealth.iter().sum::<usize>() <= most
            }),
            Property::sometimes(FINAL, |model: &Self, state: &State| model.any(state, Status::Final)),
        ];
        if self.scenario.crashes == 0 {
            // A watcher that forgets its salt after its proof was seen may lose the reward, though never the case.
            all.push(Property::always(COPY_EARNS_NOTHING, |_: &Self, state: &State| {
                state.wealth(Actor::Copier) == 0
            }));
        }
        if self.scenario.wrong.contains(&true) {
            all.push(Property::sometimes(VOID, |model: &Self, state: &State| model.any(state, Status::Void)));
            all.push(Property::sometimes(PAID, |_: &Self, state: &State| {
                state.batches.iter().any(|batch| batch.paid)
            }));
        }
        all
    }
}

/// Looks at every reachable state, or until a property fails: then the shortest way there is known.
pub(crate) fn explore(rules: Rules, scenario: Scenario) -> impl Checker<Payouts> {
    let checker = Payouts { rules, scenario }
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!("{} states, {} generated", checker.unique_state_count(), checker.state_count());
    checker
}
