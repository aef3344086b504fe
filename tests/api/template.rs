//! What the template must say as the code says it.

use shared::api::STREAMED;

/// The paths of the template's events that stream, read line by line: an event's path stands in the same block as its
/// transfer mode.
fn streaming_routes(template: &str) -> Vec<String> {
    let blocks = template.split("Type: Api\n");
    let path = |block: &str| {
        let own = block.split("Type: ").next().unwrap_or_default();
        own.contains("ResponseTransferMode: RESPONSE_STREAM").then(|| {
            let line = own.lines().find(|line| line.trim_start().starts_with("Path:")).unwrap();
            line.trim().trim_start_matches("Path:").trim().to_owned()
        })
    };
    blocks.skip(1).filter_map(path).collect()
}

#[test]
fn the_routes_that_stream_in_the_template_are_those_that_stream_in_the_code() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let mut in_template = streaming_routes(&template);
    let mut in_code: Vec<String> = STREAMED.iter().map(|path| (*path).to_owned()).collect();
    in_template.sort();
    in_code.sort();
    assert_eq!(in_template, in_code);
}
