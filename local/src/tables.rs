//! DynamoDB on a laptop: an embedded server on loopback that the real SDK talks to, with the template's tables.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, anyhow};
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, CreateVectorIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    SearchSchemaElement, SearchSchemaElementType, TimeToLiveSpecification, VectorAttributeDefinition,
    VectorDistanceFunction, VectorIndex, VectorIndexUpdate,
};
use dynoxide::Database;
use session::Tables;
use shared::knowledge_store::VectorSpace;
use shared::turns::{PENDING_INDEX, TURN_INDEX};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{State, server};

/// How often what is past its time is deleted.
const SWEEP: Duration = Duration::from_secs(600);

/// The embedded server.
pub(crate) struct Embedded {
    port: u16,
    stop: oneshot::Sender<()>,
    end: oneshot::Receiver<()>,
}

impl Embedded {
    /// Starts it for `state`, unless that is elsewhere.
    pub async fn start(state: &State) -> anyhow::Result<Option<Self>> {
        let database = match state {
            State::Endpoint(_) => return Ok(None),
            State::Memory => {
                Database::memory().map_err(|error| anyhow!("{error}")).context("making tables in memory")?
            }
            State::Folder(folder) => {
                std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
                let file = folder.join("tables.sqlite");
                Database::new(&file.to_string_lossy())
                    .map_err(|error| anyhow!("{error}"))
                    .with_context(|| format!("opening {}", file.display()))?
            }
        };
        let listener = server::listen(0).context("opening a port for the tables")?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        // SQLite blocks the thread it runs on, so it gets one of its own: turns that wait must not wait for it.
        let listener = listener.into_std().context("opening a port for the tables")?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the tables")?;
        let (ended, end) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime.block_on(serve(listener, database, stopped));
            drop(ended);
        });
        Ok(Some(Self { port, stop, end }))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn stop(self) {
        drop(self.stop);
        // A connection of the SDK's pool that stays open must not hold up the end.
        drop(tokio::time::timeout(Duration::from_millis(500), self.end).await);
    }
}

async fn serve(listener: std::net::TcpListener, database: Database, stopped: oneshot::Receiver<()>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the embedded tables did not start"),
    };
    let sweeper = tokio::spawn(sweep(database.clone()));
    let stopped = async move {
        drop(stopped.await);
    };
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stopped).await {
        tracing::error!(%error, "the embedded tables stopped");
    }
    sweeper.abort();
}

async fn sweep(database: Database) {
    let mut clock = tokio::time::interval(SWEEP);
    loop {
        clock.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what is past its time could not be deleted"),
            Err(_) => return,
        }
    }
}

/// A client of the endpoint `url`, with credentials that mean nothing.
pub(crate) async fn client(url: &str) -> Client {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .load()
        .await;
    Client::new(&config)
}

/// Makes the tables that are missing, as the template describes them.
pub(crate) async fn create(client: &Client, tables: &Tables) -> anyhow::Result<()> {
    let keys: [(&str, &[&str]); 5] = [
        (&tables.sessions, &["id"]),
        (&tables.turns, &["session_id", "turn_id"]),
        (&tables.idempotency, &["key"]),
        (&tables.totals, &["day", "name"]),
        (&tables.handoffs, &["day", "turn_id"]),
    ];
    let existing = client.list_tables().send().await.context("asking for the tables")?.table_names.unwrap_or_default();
    for (name, keys) in keys.into_iter().filter(|(name, _)| !existing.iter().any(|table| table == name)) {
        let mut table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        let mut attributes: BTreeSet<&str> = keys.iter().copied().collect();
        table = table.set_key_schema(Some(schema(keys)?));
        for (index, keys) in TURN_INDEXES.into_iter().filter(|_| *name == tables.turns) {
            attributes.extend(keys);
            let index = GlobalSecondaryIndex::builder().index_name(index).set_key_schema(Some(schema(keys)?));
            table = table.global_secondary_indexes(index.projection(keys_only()).build()?);
        }
        table = table.set_attribute_definitions(Some(strings(attributes)?));
        table.send().await.with_context(|| format!("making the table {name}"))?;
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build()?;
        let update = client.update_time_to_live().table_name(name).time_to_live_specification(ttl);
        update.send().await.with_context(|| format!("setting the time to live of {name}"))?;
    }
    add_turn_indexes(client, &tables.turns).await
}

/// The indexes of the turns, with their keys.
const TURN_INDEXES: [(&str, &[&str]); 2] = [(PENDING_INDEX, &["pending", "turn_id"]), (TURN_INDEX, &["turn_id"])];

/// Adds those that are missing: a state folder may be older than they are.
async fn add_turn_indexes(client: &Client, table: &str) -> anyhow::Result<()> {
    let described = client.describe_table().table_name(table).send().await;
    let described = described.with_context(|| format!("asking for the table {table}"))?.table;
    let there = described.and_then(|table| table.global_secondary_indexes).unwrap_or_default();
    for (name, keys) in TURN_INDEXES {
        if there.iter().any(|index| index.index_name() == Some(name)) {
            continue;
        }
        let index = CreateGlobalSecondaryIndexAction::builder().index_name(name).set_key_schema(Some(schema(keys)?));
        let index = GlobalSecondaryIndexUpdate::builder().create(index.projection(keys_only()).build()?).build();
        let attributes = keys.iter().copied().chain(["session_id", "turn_id"]).collect();
        let update = client.update_table().table_name(table).global_secondary_index_updates(index);
        let update = update.set_attribute_definitions(Some(strings(attributes)?));
        update.send().await.with_context(|| format!("adding the index {name} to the table {table}"))?;
    }
    Ok(())
}

fn schema(keys: &[&str]) -> anyhow::Result<Vec<KeySchemaElement>> {
    let element =
        |(key, kind): (&&str, KeyType)| KeySchemaElement::builder().attribute_name(*key).key_type(kind).build();
    keys.iter().zip([KeyType::Hash, KeyType::Range]).map(element).map(|element| Ok(element?)).collect()
}

fn strings(names: BTreeSet<&str>) -> anyhow::Result<Vec<AttributeDefinition>> {
    let string = |name: &str| {
        let definition = AttributeDefinition::builder().attribute_name(name);
        Ok(definition.attribute_type(ScalarAttributeType::S).build()?)
    };
    names.into_iter().map(string).collect()
}

fn keys_only() -> Projection {
    Projection::builder().projection_type(ProjectionType::KeysOnly).build()
}

/// Makes the table of documents and the vector index of this space, as far as they are missing.
pub(crate) async fn create_knowledge(client: &Client, name: &str, space: Option<&VectorSpace>) -> anyhow::Result<()> {
    let string = |attribute: &str| {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        definition.attribute_type(ScalarAttributeType::S).build()
    };
    let key = |attribute: &str, kind| KeySchemaElement::builder().attribute_name(attribute).key_type(kind).build();
    let existing = client.list_tables().send().await.context("asking for the tables")?.table_names.unwrap_or_default();
    if !existing.iter().any(|table| table == name) {
        let create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(string("assistant")?).attribute_definitions(string("id")?);
        let create = create.key_schema(key("assistant", KeyType::Hash)?).key_schema(key("id", KeyType::Range)?);
        let create = match space {
            Some(space) => create.attribute_definitions(string("source")?).vector_indexes(vector_index(space)?),
            None => create,
        };
        create.send().await.with_context(|| format!("making the table {name}"))?;
        return Ok(());
    }
    let Some(space) = space else { return Ok(()) };
    let described = client.describe_table().table_name(name).send().await;
    let indexes =
        described.with_context(|| format!("asking for the table {name}"))?.table.and_then(|table| table.vector_indexes);
    if indexes.is_some_and(|indexes| indexes.iter().any(|index| index.index_name() == Some(space.name()))) {
        return Ok(());
    }
    let index = vector_index(space)?;
    let create = CreateVectorIndexAction::builder()
        .index_name(index.index_name)
        .set_vector_attribute(index.vector_attribute)
        .set_search_schema(index.search_schema)
        .set_projection(index.projection)
        .dimensions(index.dimensions)
        .distance_function(index.distance_function)
        .build()?;
    let update = client.update_table().table_name(name);
    let update = update.attribute_definitions(string("assistant")?).attribute_definitions(string("id")?);
    let update = update.attribute_definitions(string("source")?);
    let update = update.vector_index_updates(VectorIndexUpdate::builder().create(create).build());
    update.send().await.with_context(|| format!("adding a vector index to the table {name}"))?;
    Ok(())
}

fn vector_index(space: &VectorSpace) -> anyhow::Result<VectorIndex> {
    let element = |attribute: &str, kind| {
        SearchSchemaElement::builder().attribute_name(attribute).search_schema_element_type(kind).build()
    };
    let projected = ["text", "heading", "url"];
    Ok(VectorIndex::builder()
        .index_name(space.name())
        .vector_attribute(VectorAttributeDefinition::builder().attribute_name(space.name()).build()?)
        .search_schema(element("assistant", SearchSchemaElementType::Hash)?)
        .search_schema(element("source", SearchSchemaElementType::InlineFilter)?)
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(projected.map(str::to_owned).to_vec()))
                .build(),
        )
        .dimensions(i64::try_from(space.dimensions)?)
        .distance_function(VectorDistanceFunction::Cosine)
        .build()?)
}
