//! Label and field selectors, as the API takes them in queries and as `metav1.LabelSelector`.

use serde_json::Value;

use super::Object;
use crate::json;
use crate::kinds::{Kind, names};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
    Greater(i64),
    Less(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

/// All requirements must hold. Without any, everything matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        match (&self.operator, value) {
            (Operator::In(values), Some(value)) => values.iter().any(|one| one == value),
            (Operator::In(_), None) => false,
            (Operator::NotIn(values), Some(value)) => values.iter().all(|one| one != value),
            (Operator::NotIn(_) | Operator::Missing, None) => true,
            (Operator::Exists, value) => value.is_some(),
            (Operator::Missing, Some(_)) => false,
            (Operator::Greater(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value > *bound),
            (Operator::Less(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value < *bound),
            (Operator::Greater(_) | Operator::Less(_), None) => false,
        }
    }
}

impl LabelSelector {
    /// Parses the query form: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                if text.trim().is_empty() {
                    continue;
                }
                return Err(format!("found ',', expected: identifier after ','; in {text:?}"));
            }
            requirements.push(parse_requirement(part)?);
        }
        for requirement in &requirements {
            if let Some(fault) = names::qualified(&requirement.key).into_iter().next() {
                return Err(format!("key: Invalid value: {:?}: {fault}", requirement.key));
            }
            if let Operator::In(values) | Operator::NotIn(values) = &requirement.operator {
                for value in values {
                    if let Some(fault) = names::label_value(value) {
                        return Err(format!(
                            "values[0][{}]: Invalid value: {value:?}: {fault}",
                            requirement.key
                        ));
                    }
                }
            }
        }
        Ok(Self(requirements))
    }

    /// Reads `matchLabels` and `matchExpressions`.
    pub fn from_object(selector: &Value) -> Self {
        let labels = selector["matchLabels"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::In(vec![value.as_str().unwrap_or("").to_owned()]),
            });
        let expressions = json::items(selector, "/matchExpressions")
            .iter()
            .filter_map(|expression| {
                let values = || {
                    json::items(expression, "/values")
                        .iter()
                        .filter_map(|value| value.as_str().map(str::to_owned))
                };
                let operator = match expression["operator"].as_str()? {
                    "In" => Operator::In(values().collect()),
                    "NotIn" => Operator::NotIn(values().collect()),
                    "Exists" => Operator::Exists,
                    "DoesNotExist" => Operator::Missing,
                    "Gt" => Operator::Greater(values().next()?.parse().ok()?),
                    "Lt" => Operator::Less(values().next()?.parse().ok()?),
                    _ => return None,
                };
                Some(Requirement {
                    key: expression["key"].as_str()?.to_owned(),
                    operator,
                })
            });
        Self(labels.chain(expressions).collect())
    }

    /// Reads a plain map of labels, as a Service has it.
    pub fn from_map(map: &Value) -> Self {
        Self::from_object(&serde_json::json!({"matchLabels": map}))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn matches(&self, label: impl Fn(&str) -> Option<String>) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.matches(label(&requirement.key).as_deref()))
    }

    pub fn matches_object(&self, object: &Object) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.matches(object.label(&requirement.key)))
    }

    pub fn matches_labels(&self, labels: &Value) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.matches(labels[&requirement.key].as_str()))
    }
}

/// Splits at commas that are not inside parentheses.
fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (position, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_requirement(part: &str) -> Result<Requirement, String> {
    let requirement = |key: &str, operator| {
        Ok(Requirement {
            key: key.trim().to_owned(),
            operator,
        })
    };
    if let Some(key) = part.strip_prefix('!') {
        return requirement(key, Operator::Missing);
    }
    if let Some((head, list)) = part.split_once('(') {
        let list = list
            .trim()
            .strip_suffix(')')
            .ok_or_else(|| format!("unable to parse requirement: {part:?}"))?;
        let values: Vec<String> = list.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => requirement(key, Operator::In(values)),
            (Some(key), Some("notin"), None) => requirement(key, Operator::NotIn(values)),
            _ => Err(format!(
                "unable to parse requirement: found {head:?}, expected: in, notin, =, ==, !=, gt, lt"
            )),
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return requirement(key, Operator::NotIn(vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return requirement(key, Operator::In(vec![value.trim().to_owned()]));
    }
    for (sign, greater) in [('>', true), ('<', false)] {
        if let Some((key, value)) = part.split_once(sign) {
            let bound = value
                .trim()
                .parse()
                .map_err(|_| format!("values[0][{}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer", key.trim()))?;
            return requirement(
                key,
                if greater {
                    Operator::Greater(bound)
                } else {
                    Operator::Less(bound)
                },
            );
        }
    }
    if part.contains(char::is_whitespace) {
        return Err(format!(
            "unable to parse requirement: found '{part}', expected: in, notin, =, ==, !=, gt, lt"
        ));
    }
    requirement(part, Operator::Exists)
}

/// `metadata.name=x,spec.nodeName!=y`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    pub fn parse(text: &str, kind: &Kind) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (field, true, value)
            } else {
                return Err(format!("invalid selector: '{part}'; can't understand '{part}'"));
            };
            let namespace = field == "metadata.namespace" && kind.namespaced;
            if field != "metadata.name" && !namespace && !kind.selectable.contains(&field) {
                return Err(format!("field label not supported: {field}"));
            }
            terms.push((field.to_owned(), equal, value.to_owned()));
        }
        Ok(Self(terms))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|(field, equal, value)| {
            object
                .field(field)
                .is_some_and(|actual| (actual == value) == *equal)
        })
    }

    /// The one name this asks for, if it does.
    pub fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, equal, _)| *equal && field == "metadata.name")
            .map(|(_, _, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, labels: Value) -> bool {
        LabelSelector::parse(selector).unwrap().matches_labels(&labels)
    }

    #[test]
    fn operators() {
        let labels = serde_json::json!({"app": "web", "tier": "front", "n": "5"});
        for (selector, expected) in [
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app!=web", false),
            ("missing!=web", true),
            ("app in (a, web)", true),
            ("app notin (a,b),tier", true),
            ("!app", false),
            ("!other", true),
            ("app in (a,b)", false),
            ("n>4", true),
            ("n<4", false),
            ("", true),
        ] {
            assert_eq!(matches(selector, labels.clone()), expected, "{selector}");
        }
    }

    #[test]
    fn malformed_selectors_are_refused() {
        for selector in [
            "app in (a",
            "a b",
            "app=web,,x=y",
            "-bad=x",
            "a=b c",
            "x within (a)",
        ] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let pod = &crate::kinds::core::POD;
        assert!(FieldSelector::parse("spec.nodeName=a,metadata.namespace!=b", pod).is_ok());
        assert_eq!(
            FieldSelector::parse("spec.image=a", pod).unwrap_err(),
            "field label not supported: spec.image"
        );
    }

    proptest::proptest! {
        #[test]
        fn equality_selects_exactly_the_equal(
            key in "[a-z]{1,3}", wanted in "[a-z]{0,2}", actual in proptest::option::of("[a-z]{0,2}")
        ) {
            let labels = match &actual {
                Some(actual) => serde_json::json!({ &key: actual }),
                None => serde_json::json!({}),
            };
            let equal = actual.as_deref() == Some(wanted.as_str());
            proptest::prop_assert_eq!(matches(&format!("{key}={wanted}"), labels.clone()), equal);
            proptest::prop_assert_eq!(matches(&format!("{key}!={wanted}"), labels), !equal);
        }
    }
}
