//! What a turn with a search writes, in bytes: `docs/cost/items.json`, from which `docs/cost/cost.py` works out a price.

use std::collections::BTreeMap;

use aws::packed::unpack;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::{App, session_of};

/// Where the sizes are kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cost/items.json");

type Item = std::collections::HashMap<String, AttributeValue>;
type Sizes = BTreeMap<String, BTreeMap<String, usize>>;

/// The bytes of an item by DynamoDB's rule: its names, and its values as UTF-8, two digits of a number a byte. Of a packed text
/// those that it has, or had as a string.
fn size(item: &Item, packed: bool) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) if packed => bytes.as_ref().len(),
        AttributeValue::B(_) => unpack(value).unwrap().len(),
        _ => 1,
    };
    item.iter().map(|(name, of)| name.len() + value(of)).sum()
}

async fn measured() -> Sizes {
    let app = App::start().await;
    let reply = app.say(None, "fly me from Lahore to Dubai next Friday, back a week later").await;
    assert_eq!(reply["offers"].as_array().unwrap().len(), 5);
    let (client, names) = app.colloquy.tables();
    let id = session_of(&reply);
    let get = async |table: &str, keys: [(&str, &str); 2]| {
        let get = client.get_item().table_name(table).consistent_read(true);
        let keys = keys.into_iter().filter(|(name, _)| !name.is_empty());
        let get = keys.fold(get, |get, (name, key)| get.key(name, AttributeValue::S(key.to_owned())));
        get.send().await.unwrap().item.unwrap()
    };
    let turn_id = reply["turn_id"].as_str().unwrap();
    let rows = [
        ("session", get(&names.sessions, [("id", id), ("", "")]).await),
        ("ranked", get(&names.sessions, [("id", &format!("ranked#{id}")), ("", "")]).await),
        ("turn", get(&names.turns, [("session_id", id), ("turn_id", turn_id)]).await),
    ];
    let sizes =
        |row: &Item| BTreeMap::from([("packed".to_owned(), size(row, true)), ("plain".to_owned(), size(row, false))]);
    rows.iter().map(|(name, row)| ((*name).to_owned(), sizes(row))).collect()
}

/// `UPDATE_COST=1` writes the file anew.
#[tokio::test]
async fn a_turn_writes_as_much_as_its_price_is_worked_out_from() {
    let measured = measured().await;
    if std::env::var_os("UPDATE_COST").is_some() {
        std::fs::write(FILE, serde_json::to_string_pretty(&json!(measured)).unwrap() + "\n").unwrap();
    }
    let kept: Sizes = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert_eq!(kept.keys().collect::<Vec<_>>(), measured.keys().collect::<Vec<_>>());
    for (row, sizes) in &measured {
        for (how, bytes) in sizes {
            // Ids are random, and timings have more digits or fewer.
            let expected = kept[row][how];
            assert!(bytes.abs_diff(expected) * 20 <= expected, "{row} {how}: {bytes}, and {expected} in the file");
        }
    }
}
