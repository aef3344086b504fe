//! DynamoDB on a laptop: an embedded server on loopback that the real SDK talks to, with the template's tables.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use aws::knowledge_store::{Spaces, VectorSpace};
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, CreateVectorIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    SearchSchemaElement, SearchSchemaElementType, TimeToLiveSpecification, VectorAttributeDefinition,
    VectorDistanceFunction, VectorIndex, VectorIndexUpdate,
};
use contracts::turns::{PENDING_INDEX, TURN_INDEX};
use dynoxide::Database;
use rusqlite::{Connection, OpenFlags};
use session::Tables;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connection::OWN;
use crate::door::Key;
use crate::server::Server;
use crate::{State, bounded, dynamo, server};

/// How many calls to the embedded tables are under way at once.
const CALLS: usize = 32;
/// How often what is past its time is deleted.
const SWEEP: Duration = Duration::from_secs(600);
/// How long what was deleted may still be read in the log that SQLite writes before its file.
const CHECKPOINT: Duration = Duration::from_secs(10);
/// How long a checkpoint waits for its turn.
const BUSY: Duration = Duration::from_secs(1);
/// The file of the tables, and how those begin that SQLite keeps beside it.
const FILE: &str = "tables.sqlite";
/// The folder beside it that a sentence model is put in by default.
const MODEL: &str = "model";

/// The embedded server.
pub(crate) struct Embedded {
    url: String,
    stop: oneshot::Sender<()>,
    end: oneshot::Receiver<()>,
}

impl Embedded {
    /// Starts it for `state`, unless that is elsewhere.
    pub async fn start(state: &State) -> anyhow::Result<Option<Self>> {
        let (database, file) = match state {
            State::Endpoint(_) => return Ok(None),
            State::Memory => (Database::memory(), None),
            State::Folder(folder) => {
                let file = private_file(folder).with_context(|| format!("making {FILE} in {}", folder.display()))?;
                (Database::new(&file.to_string_lossy()), Some(file))
            }
        };
        let database = database.map_err(|error| anyhow!("{error}")).context("opening the tables")?;
        let (key, listener) = (Key::random(), server::listen(0).context("opening a port for the tables")?);
        let url = key.in_url(&format!("http://{}", listener.local_addr()?));
        // SQLite blocks the thread it runs on, so it gets one of its own: turns that wait must not wait for it.
        let listener = listener.into_std().context("opening a port for the tables")?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the tables")?;
        let ((stop, stopped), (ended, end)) = (oneshot::channel(), oneshot::channel::<()>());
        std::thread::spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, database, file, key, stopped)) {
                tracing::error!(cause = format!("{error:#}"), "the embedded tables did not start");
            }
            // What still holds the file is let go of before the end is told.
            drop(runtime);
            drop(ended);
        });
        Ok(Some(Self { url, stop, end }))
    }

    /// Its address, with the key.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn stop(self) {
        drop(self.stop);
        drop(tokio::time::timeout(Duration::from_secs(2), self.end).await);
    }
}

/// The file in this folder, for its owner alone; what is missing is made. A folder in which there is something else is left
/// as it is.
fn private_file(folder: &Path) -> std::io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut ours = true;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(FILE) {
            std::fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        } else {
            ours &= name == MODEL;
        }
    }
    if ours {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    let file = folder.join(FILE);
    // SQLite gives the files beside it the same permissions.
    OpenOptions::new().create(true).append(true).mode(0o600).open(&file)?;
    Ok(file)
}

async fn serve(
    listener: std::net::TcpListener,
    database: Database,
    file: Option<PathBuf>,
    key: Key,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let router = key.guard(dynamo::router(database.clone()));
    let server = Server::start(TcpListener::from_std(listener)?, router, OWN)?;
    let sweeping = tokio::spawn(sweep(database));
    let clearing = file.map(|file| tokio::spawn(clear(file)));
    drop(stopped.await);
    sweeping.abort();
    clearing.inspect(JoinHandle::abort);
    // A connection of the SDK's pool that stays open must not hold up the end.
    server.stop(Duration::from_millis(500)).await;
    Ok(())
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

/// Empties the log again and again, so that what was deleted or replaced is in no file any more. In the tables' file itself
/// SQLite overwrites it: it is built with `SECURE_DELETE` (`.cargo/config.toml`).
async fn clear(file: PathBuf) {
    let mut clock = tokio::time::interval(CHECKPOINT);
    loop {
        clock.tick().await;
        let file = file.clone();
        match tokio::task::spawn_blocking(move || checkpoint(&file)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the log of the tables could not be emptied"),
            Err(_) => return,
        }
    }
}

fn checkpoint(file: &Path) -> rusqlite::Result<()> {
    let log = file.with_file_name(format!("{FILE}-wal"));
    if std::fs::metadata(log).map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A client of the endpoint `url`, with the credentials of the embedded tables where it has their key.
pub(crate) async fn client(url: &str) -> anyhow::Result<Client> {
    let mut url: reqwest::Url = url.parse().with_context(|| format!("{url:?} is not the URL of a DynamoDB"))?;
    let key = Key::of_url(&url);
    let is_embedded = key.is_some();
    let credentials =
        key.map_or_else(|| Credentials::new("local", "local", None, None, "local"), |key| key.credentials());
    let bare = url.set_username("").and_then(|()| url.set_password(None));
    bare.map_err(|()| anyhow!("the URL of a DynamoDB has a host"))?;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials);
    let config = if is_embedded { config.http_client(bounded::http_client(CALLS)) } else { config };
    Ok(Client::new(&config.load().await))
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

/// Makes the table of documents and the vector indexes of these spaces, as far as they are missing.
pub(crate) async fn create_knowledge(client: &Client, name: &str, spaces: &Spaces) -> anyhow::Result<()> {
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
        let mut create = match spaces.iter().next() {
            Some(_) => create.attribute_definitions(string("source")?),
            None => create,
        };
        for space in spaces.iter() {
            create = create.vector_indexes(vector_index(space)?);
        }
        create.send().await.with_context(|| format!("making the table {name}"))?;
        return Ok(());
    }
    let described = client.describe_table().table_name(name).send().await;
    let indexes =
        described.with_context(|| format!("asking for the table {name}"))?.table.and_then(|table| table.vector_indexes);
    let indexes = indexes.unwrap_or_default();
    for space in spaces.iter().filter(|space| !indexes.iter().any(|index| index.index_name() == Some(space.name()))) {
        add_vector_index(client, name, space).await?;
    }
    Ok(())
}

async fn add_vector_index(client: &Client, name: &str, space: &VectorSpace) -> anyhow::Result<()> {
    let string = |attribute: &str| {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        definition.attribute_type(ScalarAttributeType::S).build()
    };
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

#[cfg(test)]
mod tests;
