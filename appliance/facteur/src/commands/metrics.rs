//! `facteur metrics`: the table of all metrics. `appliance/monitoring/METRICS.md` is what it prints.

use clap::Args;
use serde_json::{Value, json};
use server::metric_table;

use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct MetricsArgs {
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub fn run(args: &MetricsArgs) -> Exit {
    match args.format {
        Format::Human => say!("{}", markdown().trim_end()),
        Format::Json => metric_table().iter().for_each(|metric| {
            let mut line = json!({"schema": 1, "kind": "metric"});
            let fields =
                json!({"name": metric.name, "type": metric.kind, "help": metric.help, "labels": metric.labels});
            if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
                line.extend(fields);
            }
            say!("{line}");
        }),
    }
    Exit::Fine
}

fn markdown() -> String {
    let mut text = "# Metrics\n\n`facteur metrics` prints this table; `/metrics` of the server has the values, in the text format 0.0.4 of\n\
         Prometheus. Sizes are octets, times are seconds, moments are Unix seconds.\n\n\
         | name | type | labels | what it says |\n|---|---|---|---|\n"
        .to_owned();
    for metric in metric_table() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        text += &format!("| `{}` | {} | {} | {} |\n", metric.name, metric.kind, labels.join(", "), metric.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const METRICS: &str = include_str!("../../../monitoring/METRICS.md");
    const ALERTS: &str = include_str!("../../../monitoring/alerts.yml");
    const BOARD: &str = include_str!("../../../monitoring/dashboard.json");

    /// Names of metrics in an expression; a histogram is also known by its three kinds of lines.
    fn named(expression: &str) -> BTreeSet<String> {
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours =
            words.filter(|word| ["facteur_", "mail_plan", "process_"].iter().any(|begin| word.starts_with(begin)));
        ours.map(str::to_owned).collect()
    }

    fn is_known(name: &str) -> bool {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        metric_table().iter().any(|one| {
            one.name == name || (one.kind == "histogram" && histogram.is_some_and(|family| one.name == family))
        })
    }

    #[test]
    fn the_written_table_is_this_one() {
        assert!(METRICS == markdown(), "run `facteur metrics > appliance/monitoring/METRICS.md`");
        for metric in metric_table() {
            assert!(!metric.help.contains('|'), "{}", metric.name);
        }
    }

    #[test]
    fn alerts_are_about_metrics_there_are() {
        let expressions = ALERTS.lines().filter(|line| !line.trim_start().starts_with('#'));
        let names: BTreeSet<String> = expressions.flat_map(named).collect();
        assert!(names.len() > 15, "{names:?}");
        let unknown: Vec<&String> = names.iter().filter(|name| !is_known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_board_is_whole_and_about_metrics_there_are() {
        let board: Value = serde_json::from_str(BOARD).expect("JSON");
        assert!(board["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
        assert!(board["title"].is_string() && board["uid"].is_string() && board["time"]["from"].is_string());
        let (mut ids, mut places) = (BTreeSet::new(), Vec::<[u64; 4]>::new());
        for panel in board["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().expect("a panel has a title");
            assert!(ids.insert(panel["id"].as_u64()), "{title}: its number is taken");
            let at = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a place"));
            let [x, y, w, h] = at;
            assert!(x + w <= 24 && w > 0 && h > 0, "{title}: over the edge");
            let meets = |[a, b, c, d]: &[u64; 4]| x < a + c && *a < x + w && y < b + d && *b < y + h;
            assert!(!places.iter().any(meets), "{title} lies on another");
            places.push(at);
            let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert_eq!(targets.is_empty(), panel["type"] == "row", "{title}");
            let mut references = BTreeSet::new();
            for target in targets {
                assert!(references.insert(target["refId"].as_str()) && target["refId"].is_string(), "{title}");
                let names = named(target["expr"].as_str().expect("an expression"));
                assert!(!names.is_empty() && names.iter().all(|name| is_known(name)), "{title}: {names:?}");
            }
        }
        assert!(places.len() >= 12);
    }
}
