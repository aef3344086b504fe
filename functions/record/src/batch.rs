//! Several turns in one transaction: a mark in the row of each, and what they add to the sums of their day together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use contracts::api::SessionId;
use contracts::dialogue::Action;
use contracts::problem::Problem;
use contracts::turns::{Counted, Finished, RecordWork, day};
use contracts::usd::Usd;
use jiff::civil::Date;
use runtime::message::Message;
use runtime::meter;
use ulid::Ulid;

use crate::table::Written;
use crate::{Deps, count};

/// A turn to be counted.
pub(crate) struct Turn<'a> {
    id: Ulid,
    /// Whose turn it is; none of a question without a session.
    session_id: Option<&'a SessionId>,
    counted: Cow<'a, Counted>,
    cost: Option<Usd>,
}

impl<'a> Turn<'a> {
    pub fn new(deps: &Deps, id: Ulid, session_id: Option<&'a SessionId>, counted: Cow<'a, Counted>) -> Self {
        let cost = count::cost(&counted, &deps.prices);
        if cost.is_none() && deps.unpriced.set(()).is_ok() {
            let model = counted.usage.as_ref().and_then(|usage| usage.model.as_deref());
            tracing::warn!(model, "turns of a model without a known use or price: their cost is not counted");
        }
        Self { id, session_id, counted, cost }
    }

    /// The turn of a message that says all of it.
    pub fn told(deps: &Deps, work: &'a RecordWork) -> Option<Self> {
        let id = work.turn_id.parse().ok()?;
        match &work.turn {
            Finished::Turn { session_id, counted: Some(counted) } => {
                Some(Self::new(deps, id, Some(session_id), Cow::Borrowed(counted)))
            }
            Finished::Ask { counted } => Some(Self::new(deps, id, None, Cow::Borrowed(counted))),
            Finished::Turn { counted: None, .. } | Finished::Other => None,
        }
    }

    /// Whose conversation waits for a person from this turn on.
    fn handed_off(&self) -> Option<&'a SessionId> {
        self.session_id.filter(|_| self.counted.action == Action::Handoff.name())
    }

    /// Tells who has to know that it is counted.
    pub async fn tell(&self, deps: &Deps) {
        if self.handed_off().is_some() {
            deps.notify.tell(self.id, &self.counted.assistant).await;
        }
        meter::cost(&self.counted.assistant, self.cost.unwrap_or_default());
    }
}

/// Counts all of these messages' turns at once; false where none of it was done.
pub(crate) async fn record(deps: &Deps, messages: &[Message]) -> bool {
    let works: Result<Vec<RecordWork>, _> =
        messages.iter().map(|message| serde_json::from_str::<RecordWork>(&message.body)).collect();
    let Ok(works) = works else { return false };
    let turns: Option<Vec<Turn<'_>>> = works.iter().map(|work| Turn::told(deps, work)).collect();
    let Some(turns) = turns else { return false };
    let ids: BTreeSet<Ulid> = turns.iter().map(|turn| turn.id).collect();
    // A message that came twice is no fault, but a transaction writes each item once.
    if turns.len() < 2 || ids.len() < turns.len() {
        return false;
    }
    let Ok(writes) = writes(deps, &turns) else { return false };
    if !matches!(deps.turns.write(&writes).await, Ok(Written::Now)) {
        return false;
    }
    for turn in &turns {
        turn.tell(deps).await;
    }
    true
}

/// The writes that count these turns, the turns' own first.
pub(crate) fn writes(deps: &Deps, turns: &[Turn<'_>]) -> Result<Vec<TransactWriteItem>, Problem> {
    let mut writes = Vec::with_capacity(3 * turns.len());
    for turn in turns {
        writes.push(match turn.session_id {
            Some(session_id) => deps.turns.mark(session_id, turn.id, turn.cost)?,
            None => deps.turns.put_ask(turn.id, &turn.counted, turn.cost)?,
        });
    }
    for ((_, assistant), sum) in sums(turns) {
        writes.push(deps.totals.add(sum.shard_of, assistant, &sum.counters)?);
        for (name, times) in sum.asked_for {
            writes.push(deps.totals.add_asked(sum.shard_of, assistant, name, times)?);
        }
    }
    for turn in turns {
        if let Some(session_id) = turn.handed_off() {
            writes.push(deps.handoffs.put(turn.id, &turn.counted.assistant, session_id)?);
        }
    }
    Ok(writes)
}

/// What some turns add to the sums of a day and an assistant.
#[derive(Debug, PartialEq, Eq)]
struct Sum<'a> {
    /// All of it goes to one shard of the day, that of the first: a reader adds them up.
    shard_of: Ulid,
    counters: BTreeMap<String, i128>,
    asked_for: BTreeMap<&'a str, usize>,
}

fn sums<'a>(turns: &'a [Turn<'_>]) -> BTreeMap<(Date, &'a str), Sum<'a>> {
    let mut sums = BTreeMap::new();
    for turn in turns {
        let sum = sums.entry((day(turn.id), turn.counted.assistant.as_str())).or_insert_with(|| Sum {
            shard_of: turn.id,
            counters: BTreeMap::new(),
            asked_for: BTreeMap::new(),
        });
        for (name, by) in count::counters(&turn.counted, turn.cost) {
            *sum.counters.entry(name).or_default() += by;
        }
        for name in &turn.counted.asked_for {
            *sum.asked_for.entry(name).or_default() += 1;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_one_day_and_assistant_add_up_to_one_write_for_each_sum() {
        let turn = |id: &str, assistant: &str, asked_for: &[&str]| {
            let asked_for = asked_for.iter().map(|name| (*name).to_owned()).collect();
            let counted =
                Counted { assistant: assistant.into(), action: "ask".into(), asked_for, ..Counted::default() };
            Turn { id: id.parse().unwrap(), session_id: None, counted: Cow::Owned(counted), cost: Some(Usd(2)) }
        };
        let (first, second) = ("01M7Y5QRE1TRSWEGN6CG59HSD5", "01M7Y5QRE1TRSWEGN6CG59HSD6");
        let turns = [
            turn(first, "travel", &["route LHE-DXB"]),
            turn(second, "travel", &["route LHE-DXB", "route DXB-LHE"]),
            turn("01M7Y5QRE1TRSWEGN6CG59HSD7", "defi", &[]),
        ];
        let sums = sums(&turns);
        let day = day(first.parse().unwrap());
        let travel = &sums[&(day, "travel")];
        let count = |name: &str| travel.counters.get(name).copied();
        assert_eq!((sums.len(), travel.shard_of), (2, first.parse().unwrap()));
        assert_eq!((count("turns"), count("cost"), count("action:ask")), (Some(2), Some(4), Some(2)));
        assert_eq!(travel.asked_for, BTreeMap::from([("route DXB-LHE", 1), ("route LHE-DXB", 2)]));
        assert_eq!(sums[&(day, "defi")].counters.get("turns"), Some(&1));
    }
}
