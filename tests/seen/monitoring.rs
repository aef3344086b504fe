//! What the template shows and watches is what the code measures, and what an alarm means is written down.

use std::collections::{BTreeMap, BTreeSet};

use runtime::meter::METRICS;

const TEMPLATE: &str = include_str!("../../template.yaml");
const OPERATING: &str = include_str!("../../docs/operating.md");

fn measured() -> BTreeMap<&'static str, Vec<&'static str>> {
    METRICS.iter().map(|metric| (metric.name, metric.labels.to_vec())).collect()
}

/// The blocks of the alarms, by name.
fn alarms() -> BTreeMap<&'static str, &'static str> {
    let resources = TEMPLATE.split("\n\n").filter(|block| block.contains("Type: AWS::CloudWatch::Alarm"));
    resources
        .map(|block| {
            let name = block.lines().find(|line| line.starts_with("  ") && line.ends_with(':')).unwrap();
            (name.trim().trim_end_matches(':'), block)
        })
        .collect()
}

#[test]
fn the_dashboard_shows_every_metric_by_its_own_labels() {
    let searches = TEMPLATE.split(r#"SEARCH('{\"${AWS::StackName}\","#).skip(1);
    let shown: BTreeMap<&str, Vec<&str>> = searches
        .map(|search| {
            let (labels, rest) = search.split_once('}').unwrap();
            let name = rest.strip_prefix(r#" MetricName=\""#).unwrap().split('\\').next().unwrap();
            (name, labels.split(',').collect())
        })
        .collect();
    assert_eq!(shown, measured());
}

#[test]
fn alarms_watch_what_is_measured_or_what_aws_measures() {
    let alarms = alarms();
    assert_eq!(
        alarms.keys().copied().collect::<Vec<_>>(),
        [
            "ConcurrencyAlarm",
            "DeadChunksAlarm",
            "DeadTurnsAlarm",
            "DegradedTurnsAlarm",
            "ErrorsAlarm",
            "FailedTurnsAlarm",
            "OldWorkAlarm",
            "PutBacksAlarm",
            "SlowAlarm",
            "StepErrorsAlarm",
            "ThrottlesAlarm",
        ]
    );
    let of_aws =
        BTreeSet::from(["5XXError", "ApproximateNumberOfMessagesVisible", "ConcurrentExecutions", "Throttles"]);
    for (name, block) in alarms {
        for watched in block.split("MetricName: ").skip(1) {
            let metric = watched.lines().next().unwrap();
            if block.contains("Namespace: AWS/") {
                assert!(of_aws.contains(metric), "{name} watches {metric}");
                continue;
            }
            let dimensions = watched.split("{ Name: ").skip(1);
            let labels: Vec<&str> = dimensions.map(|rest| rest.split(',').next().unwrap()).collect();
            assert_eq!(measured().get(metric), Some(&labels), "{name} watches {metric}");
        }
    }
}

#[test]
fn the_shares_of_failed_and_degraded_turns_are_of_all_that_a_turn_comes_to() {
    let alarms = alarms();
    for name in ["FailedTurnsAlarm", "DegradedTurnsAlarm"] {
        let outcomes = alarms[name].split("Name: outcome, Value: ").skip(1);
        let watched: BTreeSet<&str> = outcomes.map(|rest| rest.split(' ').next().unwrap()).collect();
        assert_eq!(watched, BTreeSet::from(["degraded", "failed", "ok"]), "{name}");
    }
}

#[test]
fn work_is_watched_in_every_worker() {
    for name in ["PutBacksAlarm", "OldWorkAlarm"] {
        let alarms = alarms();
        let watched: BTreeSet<&str> =
            alarms[name].split("Name: function, Value: ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect();
        assert_eq!(watched, BTreeSet::from(["embed", "record"]), "{name}");
    }
}

#[test]
fn what_to_do_when_an_alarm_rings_is_in_the_readme() {
    let (_, rest) = OPERATING.split_once("### When an alarm rings").unwrap();
    let section = rest.split("\n#").next().unwrap();
    let told: BTreeSet<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(told, alarms().into_keys().collect());
}

#[test]
fn a_bad_version_of_chat_is_stopped_by_alarms_that_see_it() {
    let preference = TEMPLATE.split("DeploymentPreference:").nth(1).unwrap();
    let stops = preference.lines().find_map(|line| line.trim().strip_prefix("Alarms: ")).unwrap();
    let named: BTreeSet<&str> =
        stops.split("!Ref ").skip(1).map(|rest| rest.split([',', ']']).next().unwrap()).collect();
    assert_eq!(named, BTreeSet::from(["AWS::NoValue", "ErrorsAlarm", "FailedTurnsAlarm", "SlowAlarm"]));
}
