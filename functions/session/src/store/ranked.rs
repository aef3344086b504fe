//! What the last search of a session came to, beside the session: too large for it, and there for minutes only.

use aws::packed::{pack, unpack};
use aws::store::failed;
use contracts::api::{RankedOffers, SessionId};
use contracts::problem::Problem;
use jiff::{SignedDuration, Timestamp};

use super::{Store, seconds, text, timestamp, unreadable};

/// How long offers can be paged through: prices hold for minutes.
const RANKED_TTL: SignedDuration = SignedDuration::from_mins(15);
/// The most that the offers may weigh, in bytes of JSON: DynamoDB takes 400 KB. Of more, the last go.
const RANKED_LIMIT: usize = 280 * 1024;

impl Store {
    /// Keeps them in the place of those of the search before.
    pub(crate) async fn keep_ranked(&self, id: &SessionId, mut ranked: RankedOffers) -> Result<(), Problem> {
        let mut json = serde_json::to_string(&ranked).map_err(Problem::internal)?;
        while json.len() > RANKED_LIMIT && !ranked.offers.is_empty() {
            ranked.offers.truncate(ranked.offers.len() / 2);
            json = serde_json::to_string(&ranked).map_err(Problem::internal)?;
        }
        let put =
            self.client.put_item().table_name(&self.tables.sessions).item("id", key(id)).item("ranked", pack(json));
        let put = put.item("expires_at", seconds(Timestamp::now() + RANKED_TTL));
        put.send().await.map_err(|error| failed("keeping offers", &error))?;
        Ok(())
    }

    /// Those of the last search, unless it is too long ago.
    pub(crate) async fn ranked(&self, id: &SessionId) -> Result<Option<RankedOffers>, Problem> {
        let get = self.client.get_item().table_name(&self.tables.sessions).consistent_read(true).key("id", key(id));
        let Some(item) = get.send().await.map_err(|error| failed("reading offers", &error))?.item else {
            return Ok(None);
        };
        let is_fresh = timestamp(&item, "expires_at").is_some_and(|end| end > Timestamp::now());
        let json = item.get("ranked").and_then(unpack).filter(|_| is_fresh);
        json.map(|json| serde_json::from_str(&json).map_err(|error| unreadable("the offers", &error))).transpose()
    }

    /// Empties their place.
    pub(crate) async fn forget_ranked(&self, id: &SessionId) -> Result<(), Problem> {
        let put = self.client.put_item().table_name(&self.tables.sessions).item("id", key(id));
        put.item("expires_at", seconds(Timestamp::now()))
            .send()
            .await
            .map_err(|error| failed("deleting offers", &error))?;
        Ok(())
    }
}

fn key(id: &SessionId) -> aws_sdk_dynamodb::types::AttributeValue {
    text(format!("ranked#{id}"))
}
