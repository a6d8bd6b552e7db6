//! The fields that tell of a judgement. They are written here and nowhere else.

use super::Judgement;

/// Octets of a line of ours (RFC 5322 2.1.1).
const LINE_OCTETS_MAX: usize = 78;
/// Names of rules that are told, and octets of one.
const RULES_TOLD_MAX: usize = 40;
const RULE_OCTETS_MAX: usize = 48;

/// `X-Spam-Status`, `X-Spam-Flag` where it is tagged, and `X-Spam-Rules` where rules fired; whole lines. `threshold` is in
/// thousandths; `tagged_by` are the rules of the policy by which it is tagged.
pub fn written(judgement: &Judgement, threshold: i64, tagged_by: &[&str]) -> String {
    let mut lines = String::with_capacity(256);
    let mut words = vec![if tagged_by.is_empty() { "No," } else { "Yes," }.to_owned()];
    words.extend(judgement.total.map(|total| format!("score={}", points(total))));
    words.push(format!("threshold={}", points(threshold)));
    for pass in &judgement.passes {
        let score = pass.thousandths.map_or_else(|| "none".to_owned(), points);
        words.push(format!("{}={score}", tame(&pass.name)));
    }
    words.extend((!tagged_by.is_empty()).then(|| format!("by={}", tagged_by.join(","))));
    words.push(format!("plan={}", judgement.plan));
    folded("X-Spam-Status", &words, " ", &mut lines);
    if !tagged_by.is_empty() {
        lines.push_str("X-Spam-Flag: YES\r\n");
    }
    let mut rules: Vec<String> = Vec::new();
    for rule in judgement.passes.iter().flat_map(|pass| &pass.rules) {
        let rule = tame(rule);
        if rules.len() < RULES_TOLD_MAX && !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if !rules.is_empty() {
        folded("X-Spam-Rules", &rules, ", ", &mut lines);
    }
    lines
}

/// Points with as many digits as they have: `-1.234`, `0.5`, `3`.
fn points(thousandths: i64) -> String {
    let (whole, rest) = (thousandths.unsigned_abs() / 1_000, thousandths.unsigned_abs() % 1_000);
    let sign = if thousandths < 0 { "-" } else { "" };
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:03}").trim_end_matches('0').to_owned()
}

/// A word of others, without anything that means something in a header field.
fn tame(word: &str) -> String {
    let tamed = word.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '?' });
    tamed.take(RULE_OCTETS_MAX).collect()
}

/// One field, folded between its words.
fn folded(name: &str, words: &[String], between: &str, lines: &mut String) {
    lines.push_str(name);
    lines.push(':');
    let mut length = name.len() + 1;
    for (number, word) in words.iter().enumerate() {
        let end = if number + 1 < words.len() { between.trim_end() } else { "" };
        if length + 1 + word.len() + end.len() > LINE_OCTETS_MAX {
            lines.push_str("\r\n\t");
            length = 1;
        } else {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        lines.push_str(end);
        length += word.len() + end.len();
    }
    lines.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::Scored;
    use super::*;

    fn judgement(passes: &[(&str, Option<i64>, &[&str])]) -> Judgement {
        let passes = passes.iter().map(|(name, thousandths, rules)| Scored {
            name: (*name).to_owned(),
            thousandths: *thousandths,
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        });
        let passes: Vec<Scored> = passes.collect();
        let total = passes.iter().filter_map(|pass| pass.thousandths).reduce(i64::saturating_add);
        Judgement { total, passes, tagged: None, plan: "q7k3m2xw".to_owned() }
    }

    #[test]
    fn points_are_written_as_people_write_them() {
        for (thousandths, text) in [
            (0, "0"),
            (-1_234, "-1.234"),
            (500, "0.5"),
            (-20, "-0.02"),
            (3_000, "3"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(points(thousandths), text);
        }
    }

    #[test]
    fn what_was_found_is_said_and_a_pass_without_a_score_as_well() {
        let found = judgement(&[("form", Some(-1_234), &["gtube", "html_hidden"]), ("learned", None, &[])]);
        assert_eq!(
            written(&found, 0, &["antispam.tag_when"]),
            "X-Spam-Status: Yes, score=-1.234 threshold=0 form=-1.234 learned=none\r\n\tby=antispam.tag_when \
             plan=q7k3m2xw\r\nX-Spam-Flag: YES\r\nX-Spam-Rules: gtube, html_hidden\r\n"
        );
        let clean = judgement(&[("form", Some(1_000), &[])]);
        assert_eq!(written(&clean, -500, &[]), "X-Spam-Status: No, score=1 threshold=-0.5 form=1 plan=q7k3m2xw\r\n");
        let unknown = judgement(&[("form", None, &[])]);
        assert_eq!(written(&unknown, 0, &[]), "X-Spam-Status: No, threshold=0 form=none plan=q7k3m2xw\r\n");
    }

    #[test]
    fn hostile_names_and_many_of_them_stay_in_their_lines() {
        let evil: Vec<String> = (0..500).map(|n| format!("R{n}\r\nX-Evil: {}", "x".repeat(300))).collect();
        let evil: Vec<&str> = evil.iter().map(String::as_str).collect();
        let lines = written(&judgement(&[("a\r\nb", Some(i64::MAX), &evil)]), i64::MIN, &[]);
        assert!(lines.split_terminator("\r\n").all(|line| line.len() <= LINE_OCTETS_MAX && !line.contains('\r')));
        assert_eq!(mail::header::fields(lines.as_bytes()).count(), 2);
        assert!(lines.len() < 4_000, "{}", lines.len());
    }
}
