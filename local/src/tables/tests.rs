use aws_sdk_dynamodb::types::AttributeValue;

use super::*;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("colloquy-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        Self(folder)
    }

    fn mode(&self, name: &str) -> u32 {
        std::fs::metadata(self.0.join(name)).unwrap().permissions().mode() & 0o777
    }

    /// In how many of its files these words are.
    fn files_with(&self, words: &str) -> usize {
        let files = std::fs::read_dir(&self.0).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(words.len()).any(|part| part == words.as_bytes())).count()
    }

    async fn tables(&self) -> (Embedded, Client) {
        let tables = Embedded::start(&State::Folder(self.0.clone())).await.unwrap().unwrap();
        let client = client(tables.url()).await.unwrap();
        (tables, client)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn the_files_of_the_tables_are_their_owners_alone() {
    let folder = Folder::new("modes");
    // As a release before made them.
    std::fs::create_dir(&folder.0).unwrap();
    std::fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.0.join(FILE), "").unwrap();
    std::fs::set_permissions(folder.0.join(FILE), Permissions::from_mode(0o644)).unwrap();
    let (tables, client) = folder.tables().await;
    create_knowledge(&client, "knowledge", &Spaces::default()).await.unwrap();
    for (name, mode) in [("", 0o700), (FILE, 0o600), ("tables.sqlite-wal", 0o600), ("tables.sqlite-shm", 0o600)] {
        assert_eq!(folder.mode(name), mode, "{name}");
    }
    tables.stop().await;
}

#[test]
fn a_folder_that_holds_other_things_keeps_its_permissions() {
    let folder = Folder::new("others");
    std::fs::create_dir(&folder.0).unwrap();
    std::fs::write(folder.0.join("a letter"), "").unwrap();
    std::fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    private_file(&folder.0).unwrap();
    assert_eq!((folder.mode(""), folder.mode(FILE)), (0o755, 0o600));
}

#[tokio::test]
async fn what_was_deleted_is_in_no_file() {
    const WORDS: &str = "what nobody may ever read again";
    let folder = Folder::new("deleted");
    let (tables, client) = folder.tables().await;
    create_knowledge(&client, "knowledge", &Spaces::default()).await.unwrap();
    let key = |id: &str| {
        [("assistant", "defi"), ("id", id)].map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())))
    };
    for number in 0..40 {
        let text = AttributeValue::S(format!("{WORDS} {number}").repeat(50));
        let put = client.put_item().table_name("knowledge").set_item(Some(key(&number.to_string()).into()));
        put.item("text", text).send().await.unwrap();
    }
    let file = folder.0.join(FILE);
    checkpoint(&file).unwrap();
    assert!(folder.files_with(WORDS) > 0, "it is written");
    for number in 0..40 {
        let delete = client.delete_item().table_name("knowledge").set_key(Some(key(&number.to_string()).into()));
        delete.send().await.unwrap();
    }
    checkpoint(&file).unwrap();
    assert_eq!(folder.files_with(WORDS), 0);
    tables.stop().await;
    assert_eq!(folder.files_with(WORDS), 0);
}

#[tokio::test]
async fn a_page_of_a_browser_can_neither_read_nor_drop_a_table() {
    let tables = Embedded::start(&State::Memory).await.unwrap().unwrap();
    let owner = client(tables.url()).await.unwrap();
    create_knowledge(&owner, "knowledge", &Spaces::default()).await.unwrap();
    let mut bare: reqwest::Url = tables.url().parse().unwrap();
    let key = bare.password().unwrap().to_owned();
    bare.set_username("").unwrap();
    bare.set_password(None).unwrap();
    let page = |operation: &str| {
        let call = reqwest::Client::new()
            .post(bare.clone())
            .header("x-amz-target", format!("{}{operation}", "DynamoDB_20120810."));
        let call = call.header("content-type", "application/x-amz-json-1.0").header("x-amz-date", "20261121T000000Z");
        let call = call.header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        );
        call.header("origin", "https://example.org").body(r#"{"TableName": "knowledge"}"#)
    };
    let preflight = reqwest::Client::new().request(reqwest::Method::OPTIONS, bare.clone());
    let preflight = preflight.header("origin", "https://example.org").header("access-control-request-method", "POST");
    for request in [page("DeleteTable"), page("Scan"), page("Scan").header("x-amz-security-token", key), preflight] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
    assert_eq!(owner.list_tables().send().await.unwrap().table_names(), ["knowledge"]);
    let stranger = client(bare.as_str()).await.unwrap();
    assert!(stranger.list_tables().send().await.is_err(), "without the key of this start");
}
