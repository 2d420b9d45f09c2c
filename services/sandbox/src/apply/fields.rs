//! Sets of field paths, as `fieldsV1` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kinds::schema::Schema;

/// One step of a path. Ordered and written as the real server does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Field(String),
    /// The item of a list map, by its keys as compact JSON.
    Key(String),
    /// The item of a set, as JSON.
    Item(String),
}

/// A tree of paths. A node is in the set when `member` is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    pub member: bool,
    pub children: BTreeMap<Step, FieldSet>,
}

/// What changed between two states.
#[derive(Debug, Default)]
pub struct Comparison {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

impl Comparison {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }
}

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }

    pub fn insert(&mut self, path: &[Step]) {
        let mut node = self;
        for step in path {
            node = node.children.entry(step.clone()).or_default();
        }
        node.member = true;
    }

    pub fn union(&mut self, other: &FieldSet) {
        self.member |= other.member;
        for (step, child) in &other.children {
            self.children.entry(step.clone()).or_default().union(child);
        }
    }

    pub fn subtract(&mut self, other: &FieldSet) {
        self.member &= !other.member;
        for (step, child) in &other.children {
            if let Some(own) = self.children.get_mut(step) {
                own.subtract(child);
                if own.is_empty() {
                    self.children.remove(step);
                }
            }
        }
    }

    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        let mut result = FieldSet {
            member: self.member && other.member,
            children: BTreeMap::new(),
        };
        for (step, child) in &self.children {
            if let Some(child) = other.children.get(step).map(|other| child.intersection(other))
                && !child.is_empty()
            {
                result.children.insert(step.clone(), child);
            }
        }
        result
    }

    /// Drops a whole subtree.
    pub fn remove(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let step = Step::Field((*first).to_owned());
        if rest.is_empty() {
            self.children.remove(&step);
        } else if let Some(child) = self.children.get_mut(&step) {
            child.remove(rest);
            if child.is_empty() {
                self.children.remove(&step);
            }
        }
    }

    /// The paths as messages name them: `.spec.template.spec.containers[name="app"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(&mut String::new(), &mut found);
        found
    }

    fn collect(&self, path: &mut String, found: &mut Vec<String>) {
        if self.member {
            found.push(path.clone());
        }
        for (step, child) in &self.children {
            let length = path.len();
            match step {
                Step::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Key(keys) => {
                    let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                    let keys: Vec<String> =
                        keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    path.push_str(&format!("[{}]", keys.join(",")));
                }
                Step::Item(item) => path.push_str(&format!("[={item}]")),
            }
            child.collect(path, found);
            path.truncate(length);
        }
    }

    /// Writes `fieldsV1`.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        if self.member && !self.children.is_empty() {
            object.insert(".".into(), Value::Object(Map::new()));
        }
        for (step, child) in &self.children {
            let key = match step {
                Step::Field(name) => format!("f:{name}"),
                Step::Key(keys) => format!("k:{keys}"),
                Step::Item(item) => format!("v:{item}"),
            };
            object.insert(key, child.to_json());
        }
        Value::Object(object)
    }

    /// Reads `fieldsV1`; the root itself is never a member.
    pub fn from_json(value: &Value) -> FieldSet {
        let mut set = Self::read(value);
        if set.children.is_empty() {
            set.member = false;
        }
        set
    }

    fn read(value: &Value) -> FieldSet {
        let mut set = FieldSet::default();
        let object = value.as_object();
        for (key, child) in object.into_iter().flatten() {
            let step = match key.split_at_checked(2) {
                _ if key == "." => {
                    set.member = true;
                    continue;
                }
                Some(("f:", name)) => Step::Field(name.to_owned()),
                Some(("k:", keys)) => Step::Key(compact(keys)),
                Some(("v:", item)) => Step::Item(compact(item)),
                _ => continue,
            };
            set.children.insert(step, Self::read(child));
        }
        if set.children.is_empty() {
            set.member = true;
        }
        set
    }

    /// Every field a value sets.
    pub fn of(value: &Value, schema: &'static Schema) -> FieldSet {
        let mut set = FieldSet::default();
        if schema.is_leaf(value) {
            set.member = true;
            return set;
        }
        match value {
            Value::Object(object) => {
                for (field, child) in object {
                    let mut below = FieldSet::of(child, schema.field(field));
                    if child.as_object().is_some_and(Map::is_empty) {
                        below.member = true;
                    }
                    if !below.is_empty() {
                        set.children.insert(Step::Field(field.clone()), below);
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    let (step, item_schema) = item_step(item, schema);
                    let mut below = FieldSet::of(item, item_schema);
                    below.member = true;
                    set.children.insert(step, below);
                }
            }
            _ => set.member = true,
        }
        set
    }
}

fn compact(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

/// The step that leads to an item of a keyed list or a set.
pub fn item_step(item: &Value, schema: &'static Schema) -> (Step, &'static Schema) {
    match schema.list_map() {
        Some(list) => {
            let mut keys: Vec<(&str, Value)> = list.key_of(item);
            keys.sort_by_key(|(key, _)| *key);
            let keys: Map<String, Value> = keys
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            (Step::Key(Value::Object(keys).to_string()), list.item.resolve())
        }
        None => (Step::Item(item.to_string()), &Schema::Any),
    }
}

/// Compares two states field by field; a missing side is `None`.
pub fn compare(old: &Value, new: &Value, schema: &'static Schema) -> Comparison {
    let mut comparison = Comparison::default();
    walk(Some(old), Some(new), schema, &mut Vec::new(), &mut comparison);
    comparison
}

fn is_hollow(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(object)) => object.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

fn walk(
    old: Option<&Value>,
    new: Option<&Value>,
    schema: &'static Schema,
    path: &mut Vec<Step>,
    comparison: &mut Comparison,
) {
    match (old, new) {
        (None, Some(_)) => comparison.added.insert(path),
        (Some(_), None) => comparison.removed.insert(path),
        _ => {}
    }
    let known = new.filter(|value| !value.is_null()).or(old);
    let Some(known) = known else { return };
    let leaf = schema.is_leaf(known) || (is_hollow(old) && is_hollow(new));
    if leaf {
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            comparison.modified.insert(path);
        }
        return;
    }
    let mut descend = |step: Step, old: Option<&Value>, new: Option<&Value>, schema: &'static Schema| {
        path.push(step);
        walk(old, new, schema, path, comparison);
        path.pop();
    };
    if known.is_object() {
        let (before, after) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        for (field, value) in before.into_iter().flatten() {
            let other = after.and_then(|after| after.get(field));
            descend(
                Step::Field(field.clone()),
                Some(value),
                other,
                schema.field(field),
            );
        }
        for (field, value) in after.into_iter().flatten() {
            if before.is_none_or(|before| !before.contains_key(field)) {
                descend(Step::Field(field.clone()), None, Some(value), schema.field(field));
            }
        }
    } else {
        let index = |value: Option<&Value>| -> BTreeMap<Step, (Value, &'static Schema)> {
            let items = value.and_then(Value::as_array);
            items
                .into_iter()
                .flatten()
                .map(|item| {
                    let (step, schema) = item_step(item, schema);
                    (step, (item.clone(), schema))
                })
                .collect()
        };
        let (before, after) = (index(old), index(new));
        for (step, (value, schema)) in &before {
            descend(
                step.clone(),
                Some(value),
                after.get(step).map(|(value, _)| value),
                schema,
            );
        }
        for (step, (value, schema)) in &after {
            if !before.contains_key(step) {
                descend(step.clone(), None, Some(value), schema);
            }
        }
    }
}
