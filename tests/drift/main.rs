//! The template holds what the code uses, and nothing more; the README tells of both.

mod circles;
mod code;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use code::{Crate, Names, functions, root};
use contracts::api::STREAMED;
use template::{Function, Template, conditions, named, text};

/// What every function of the template has and reads.
const EVERYWHERE: [&str; 2] = ["METRICS", "RUST_LOG"];

/// What a function reads that the template leaves at its default: the laptop's, or one that fits every deployment.
const LEFT_AT_DEFAULT: [&str; 4] =
    ["AWS_ENDPOINT_URL_SNS", "COLLOQUY_ASSISTANTS", "COLLOQUY_FLAGS", "EMBEDDING_MODEL_DIR"];

/// Routes that are not described, for they go with the next release.
const OLD_ROUTES: [&str; 2] = ["/v1/sessions/{id}", "/v1/sessions/{id}/turns"];

/// The first cells of a table of the README or `docs/` that begins with this heading line, each name in backticks.
fn table(heading: &str) -> Names {
    let files = ["README.md", "docs/configuration.md", "docs/operating.md"];
    let text: String = files.iter().map(|file| std::fs::read_to_string(root().join(file)).unwrap()).collect();
    let rows = text.split_once(heading).unwrap().1.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap().to_owned());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn each(check: impl Fn(&Function, &Crate)) {
    for function in Template::read().functions() {
        check(&function, &Crate::of(&function.binary));
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_crate_is_a_function_of_the_template() {
    let template = Template::read();
    let in_template: Names = template.functions().into_iter().map(|function| function.binary).collect();
    assert_eq!(in_template, functions());
}

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    let crates = ["functions", "shared", "."].into_iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("Cargo.toml").is_file())
    });
    let circles = crates.map(|path| (path.clone(), circles::circles(&path.join("src"))));
    let circles: BTreeMap<_, _> = circles.filter(|(_, circle)| !circle.is_empty()).collect();
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn the_routes_of_each_function_are_those_of_its_router() {
    each(|function, code| {
        let any = |paths: Names| paths.into_iter().map(|path| (path, "ANY".to_owned())).collect::<BTreeSet<_>>();
        assert_eq!(function.routes("PublicApi"), any(code.routes()), "{}", function.binary);
        let (served, _) = code.steps();
        let posted = served.into_iter().map(|path| (path, "POST".to_owned())).collect::<BTreeSet<_>>();
        assert_eq!(function.routes("StepsApi"), posted, "{}", function.binary);
    });
}

#[test]
fn the_public_routes_are_those_that_are_described() {
    let document = std::fs::read_to_string(root().join("functions/web/openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let described: Names = document["paths"].as_object().unwrap().keys().cloned().collect();
    let template = Template::read();
    let routes = template.functions().into_iter().flat_map(|function| function.routes("PublicApi"));
    let routes: Names = routes.map(|(path, _)| path).filter(|path| !OLD_ROUTES.contains(&path.as_str())).collect();
    assert_eq!(routes, described);
}

#[test]
fn cargo_lambda_watch_knows_the_same_routes() {
    let manifest: toml::Value = toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let router = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table().unwrap().clone();
    let function = |route: &toml::Value| route.as_str().or_else(|| route[0]["function"].as_str()).unwrap().to_owned();
    let watched: BTreeMap<String, String> = router.iter().map(|(path, to)| (path.clone(), function(to))).collect();
    let mut deployed = BTreeMap::new();
    each_route(|path, function| drop(deployed.insert(path, function)));
    assert_eq!(watched, deployed);
}

fn each_route(mut note: impl FnMut(String, String)) {
    for function in Template::read().functions() {
        for (path, _) in function.routes("PublicApi").into_iter().chain(function.routes("StepsApi")) {
            note(path, function.binary.clone());
        }
    }
}

#[test]
fn the_routes_that_stream_in_the_template_are_those_that_stream_in_the_code() {
    let template = Template::read();
    let mut streaming = Names::new();
    for function in template.resources("AWS::Serverless::Function").into_values() {
        for (_, event) in function["Properties"]["Events"].as_mapping().into_iter().flatten() {
            if event["Properties"]["ResponseTransferMode"] == "RESPONSE_STREAM" {
                streaming.insert(text(&event["Properties"]["Path"]));
            }
        }
    }
    assert_eq!(streaming, names(STREAMED.iter().copied()));
}

#[test]
fn each_function_may_call_just_the_steps_it_calls() {
    each(|function, code| {
        let (_, called) = code.steps();
        let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${StepsApi}/${Stage}/POST";
        let allowed = function.permissions().into_iter().filter(|(action, _)| action == "execute-api:Invoke");
        let allowed: Names = allowed.map(|(_, resource)| resource).collect();
        assert_eq!(allowed, called.iter().map(|path| format!("{arn}{path}")).collect(), "{}", function.binary);
    });
}

#[test]
fn each_function_may_do_just_what_it_does_with_tables_and_queues() {
    let template = Template::read();
    let mappings = template.resources("AWS::Lambda::EventSourceMapping");
    let fed = |mapping: &&yaml_serde::Value| text(&mapping["Properties"]["FunctionName"]["Ref"]).replace(".Alias", "");
    let fed: Names = mappings.values().map(fed).collect();
    each(|function, code| {
        let mut done = code.actions();
        if fed.contains(&function.name) {
            done.extend(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map(str::to_owned));
        }
        assert_eq!(function.actions(&["dynamodb", "sqs", "lambda"]), done, "{}", function.binary);
    });
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let mut events = function["Properties"]["Events"].as_mapping().into_iter().flatten();
        // SAM would add a policy for every queue there is.
        assert!(!events.any(|(_, event)| event["Type"] == "SQS"), "{name}");
    }
}

#[test]
fn what_a_function_may_touch_is_what_its_variables_name() {
    each(|function, _| {
        let named = function.variables().into_values().filter_map(|value| value["Ref"].as_str());
        let named: Names =
            named.filter(|name| name.ends_with("Table") || name.ends_with("Queue")).map(str::to_owned).collect();
        let touched = function.permissions().into_iter().filter(|(action, _)| !action.starts_with("execute-api"));
        let touched =
            touched.filter_map(|(_, resource)| Some(resource.strip_prefix("${")?.split_once(".Arn}")?.0.to_owned()));
        assert_eq!(touched.collect::<Names>(), named, "{}", function.binary);
    });
}

#[test]
fn each_secret_may_be_read_by_who_has_its_name_and_nobody_else() {
    each(|function, _| {
        let mut wanted = Names::new();
        for (name, value) in function.variables().into_iter().filter(|(name, _)| name.ends_with("_PARAMETER")) {
            let parameter = value["If"][1]["Ref"].as_str().unwrap_or_else(|| panic!("{name}: {value:?}"));
            let arn = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter";
            wanted.insert(format!("{arn}${{{parameter}}}"));
        }
        let allowed = function.permissions().into_iter().filter(|(action, _)| action.starts_with("ssm:"));
        let allowed: Names =
            allowed.inspect(|(action, _)| assert_eq!(action, "ssm:GetParameter")).map(|(_, arn)| arn).collect();
        assert_eq!(allowed, wanted, "{}", function.binary);
    });
}

#[test]
fn no_permission_has_a_wildcard() {
    each(|function, _| {
        for (action, resource) in function.permissions() {
            assert!(!action.contains('*') && !resource.contains('*'), "{}: {action} {resource}", function.binary);
        }
    });
}

#[test]
fn each_function_has_just_the_variables_it_reads() {
    let known = table("| variable | default |");
    each(|function, code| {
        // A secret is read by its own name, here as on a laptop; what else ends in _PARAMETER is read as it is.
        let name = |set: String| if known.contains(&set) { set } else { set.trim_end_matches("_PARAMETER").to_owned() };
        let mut set: Names = function.variables().into_keys().map(name).collect();
        assert!(EVERYWHERE.iter().all(|name| set.remove(*name)), "{}", function.binary);
        let mut read = code.variables(&known);
        read.retain(|name| ![&LEFT_AT_DEFAULT[..], &EVERYWHERE, &["AWS_REGION"]].concat().contains(&name.as_str()));
        if code.routes().is_empty() {
            read.remove("ALLOWED_ORIGINS");
        }
        if function.binary == "ingest" {
            // It must know whether texts will have vectors, and asks for none.
            read.remove("OPENAI_API_KEY");
        }
        assert_eq!(set, read, "{}", function.binary);
    });
}

#[test]
fn as_many_calls_of_the_embedder_are_under_way_as_the_parameter_says() {
    let template = Template::read();
    let functions = template.resources("AWS::Serverless::Function");
    let embed = &functions["EmbedFunction"]["Properties"];
    assert_eq!(embed["Environment"]["Variables"]["EMBED_CONCURRENCY"], "1");
    let sources = template.resources("AWS::Lambda::EventSourceMapping");
    let workers = &sources["ChunksMapping"]["Properties"]["ScalingConfig"]["MaximumConcurrency"];
    assert_eq!(workers["Ref"], "EmbedConcurrency");
}

#[test]
fn the_readme_has_every_parameter_and_no_other() {
    let template = Template::read();
    let parameters = template.0["Parameters"].as_mapping().unwrap();
    assert_eq!(table("| parameter | default |"), parameters.iter().map(|(name, _)| text(name)).collect());
    for (name, parameter) in parameters {
        assert!(
            parameter["Default"] != yaml_serde::Value::Null,
            "{}: a first deployment asks for no answer",
            text(name)
        );
        assert!(text(&parameter["Description"]).ends_with('.'), "{}", text(name));
    }
}

#[test]
fn deleting_the_stack_leaves_nothing_that_costs_unless_tables_are_to_be_kept() {
    let template = Template::read();
    for (name, resource) in template.0["Resources"].as_mapping().unwrap() {
        let (name, kind) = (text(name), text(&resource["Type"]));
        // What holds data is kept by CloudFormation in some cases unless it is told not to.
        let policies = match kind.as_str() {
            "AWS::DynamoDB::Table" => {
                ["[TablesAreKept, RetainExceptOnCreate, Delete]", "[TablesAreKept, Retain, Delete]"]
            }
            "AWS::Logs::LogGroup" => ["Delete", "Delete"],
            _ => ["~", "~"],
        };
        for (policy, expected) in ["DeletionPolicy", "UpdateReplacePolicy"].into_iter().zip(policies) {
            let expected: yaml_serde::Value = yaml_serde::from_str(expected).unwrap();
            let stated = &resource[policy];
            let stated = if stated["If"].is_sequence() { &stated["If"] } else { stated };
            assert_eq!(*stated, expected, "{policy} of {name}");
        }
    }
    assert_eq!(template.0["Parameters"]["KeepTables"]["Default"], "false");
}

#[test]
fn all_tables_are_protected_and_encrypted_alike_and_knowledge_recovers_by_default() {
    let template = Template::read();
    let condition = |value: &yaml_serde::Value| text(&value["If"][0]);
    for (name, table) in template.resources("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(condition(&properties["DeletionProtectionEnabled"]), "TablesAreKept", "{name}");
        assert_eq!(condition(&properties["SSESpecification"]), "TablesKeyIsSet", "{name}");
        let recovers = condition(&properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]);
        let expected = if name == "KnowledgeTable" { "KnowledgeRecovers" } else { "EveryTableRecovers" };
        assert_eq!(recovers, expected, "{name}");
    }
    assert_eq!(template.0["Parameters"]["PointInTimeRecovery"]["Default"], "knowledge");
}

#[test]
fn a_changed_parameter_is_a_new_version_of_each_function_that_it_changes() {
    let template = Template::read();
    let transforms: Vec<String> = template.0["Transform"].as_sequence().unwrap().iter().map(text).collect();
    assert_eq!(transforms, ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]);
    let parameters: Names = template.0["Parameters"].as_mapping().unwrap().keys().map(text).collect();
    // The first transform puts values into resources, not into what they share; a version is a hash of what it left.
    let global = named(&template.0["Globals"]);
    assert!(global.is_disjoint(&parameters), "parameters in Globals: {:?}", global.intersection(&parameters));
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        assert_eq!(properties["AutoPublishAliasAllProperties"], true, "{name}");
        let named_here = named(properties);
        for condition in conditions(properties) {
            let of_condition = named(&template.0["Conditions"][condition.as_str()]);
            assert!(of_condition.is_subset(&named_here), "{name} shows by {condition} alone what {of_condition:?} are");
        }
    }
}

#[test]
fn everything_calls_a_function_by_its_alias_so_that_the_set_goes_back_as_one() {
    let template = Template::read();
    assert_eq!(template.0["Globals"]["Function"]["AutoPublishAlias"], "live");
    let functions: Names = template.resources("AWS::Serverless::Function").into_keys().collect();
    let resources = template.0["Resources"].as_mapping().unwrap();
    let is_direct = |name: &String| {
        let (function, part) = name.split_once('.').unwrap_or((name, ""));
        functions.contains(function) && !["Alias", "Version"].contains(&part)
    };
    let direct: Names = resources.values().flat_map(named).filter(is_direct).collect();
    assert!(direct.is_empty(), "by no alias: {direct:?}");
}

#[test]
fn every_path_has_its_own_limit_and_what_is_cheap_to_flood_a_low_one() {
    let template = Template::read();
    let apis = template.resources("AWS::Serverless::Api");
    let settings = apis["PublicApi"]["Properties"]["MethodSettings"].as_sequence().unwrap();
    let routes: Names =
        template.functions().iter().flat_map(|function| function.routes("PublicApi")).map(|(path, _)| path).collect();
    let mut limited = Names::new();
    for setting in settings.iter().filter(|setting| setting["ResourcePath"] != "/*") {
        let path = text(&setting["ResourcePath"])[1..].replace("~1", "/");
        // As the route itself has it: a limit of another method would be one of nothing.
        assert!(routes.contains(&path) && setting["HttpMethod"] == "ANY", "{path}");
        limited.insert(path);
    }
    assert_eq!(limited, names(["/v1/documents", "/v1/health"]));
    assert!(apis.values().all(|api| api["Properties"]["AlwaysDeploy"].is_null()));
    assert_eq!(template.0["Globals"]["Api"]["AlwaysDeploy"], true);
}

#[test]
fn the_log_of_requests_holds_no_query_no_id_and_no_address() {
    let template = Template::read();
    let apis = template.resources("AWS::Serverless::Api");
    let format = text(&apis["PublicApi"]["Properties"]["AccessLogSetting"]["If"][1]["Format"]);
    let logged: Names =
        format.split("$context.").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    let expected = [
        "error.responseType",
        "httpMethod",
        "requestTime",
        "resourcePath",
        "responseLatency",
        "responseLength",
        "status",
        "xrayTraceId",
    ];
    assert_eq!(logged, names(expected));
    serde_json::from_str::<serde_json::Value>(&format).unwrap();
}

#[test]
fn every_table_is_billed_by_use_and_every_queue_has_somewhere_to_put_what_fails() {
    let template = Template::read();
    for (name, table) in template.resources("AWS::DynamoDB::Table") {
        assert_eq!(table["Properties"]["BillingMode"], "PAY_PER_REQUEST", "{name}");
    }
    let queues = template.resources("AWS::SQS::Queue");
    for (name, queue) in queues.iter().filter(|(name, _)| !name.starts_with("Dead")) {
        let dead = &queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"];
        assert_eq!(dead, &yaml_serde::Value::String(format!("Dead{name}.Arn")), "{name}");
        assert!(queues.contains_key(&format!("Dead{name}")), "{name}");
        let tries = &queue["Properties"]["RedrivePolicy"]["maxReceiveCount"];
        assert_eq!(tries.as_u64(), Some(aws::queue::TRIES.into()), "{name}");
    }
}
