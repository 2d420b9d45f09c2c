//! What an expression is worth at a moment.

use std::collections::BTreeMap;

use super::parse::{Aggregation, Expression, Function, Grouping, Selector};
use crate::load::series::{self, View};

pub type Labels = BTreeMap<String, String>;

/// A number, or numbers by their labels.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

pub fn evaluate(expression: &Expression, view: &View<'_>, at: f64) -> Result<Outcome, String> {
    match expression {
        Expression::Number(number) => Ok(Outcome::Scalar(*number)),
        Expression::Select(selector) => {
            let series = select(selector, view, at)?
                .into_iter()
                .map(|(mut labels, value)| {
                    labels.insert("__name__".into(), selector.name.clone());
                    (labels, value)
                });
            Ok(Outcome::Vector(series.collect()))
        }
        Expression::Over(function, selector, seconds) => {
            let now = select(selector, view, at)?;
            let before: BTreeMap<Labels, f64> = select(selector, view, at - seconds)?.into_iter().collect();
            let series = now.into_iter().map(|(labels, value)| {
                // What began within the range began at nothing.
                let grown = value - before.get(&labels).copied().unwrap_or(0.0);
                let worth = match function {
                    Function::Increase => grown,
                    Function::Rate => grown / seconds,
                };
                (labels, worth.max(0.0))
            });
            Ok(Outcome::Vector(series.collect()))
        }
        Expression::Aggregate(aggregation, grouping, inner) => match evaluate(inner, view, at)? {
            Outcome::Scalar(_) => Err("parse error: expected an instant vector in an aggregation".into()),
            Outcome::Vector(series) => Ok(Outcome::Vector(aggregate(*aggregation, grouping, series))),
        },
        Expression::Binary(operator, left, right) => {
            binary(*operator, evaluate(left, view, at)?, evaluate(right, view, at)?)
        }
    }
}

fn select(selector: &Selector, view: &View<'_>, at: f64) -> Result<Vec<(Labels, f64)>, String> {
    if !series::is_known(&selector.name) {
        // As with the real one, what nobody exposes is empty; a bad name would look like no load.
        return Err(format!(
            "there is no series {:?} in a simulated cluster",
            selector.name
        ));
    }
    let samples = view.samples(&selector.name, at).into_iter().filter_map(|sample| {
        let labels: Labels = sample
            .labels
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let fits = selector.matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.label).map_or("", String::as_str);
            matcher.fits(value)
        });
        fits.then_some((labels, sample.value))
    });
    Ok(samples.collect())
}

fn aggregate(
    aggregation: Aggregation,
    grouping: &Grouping,
    series: Vec<(Labels, f64)>,
) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (mut labels, value) in series {
        labels.remove("__name__");
        labels.retain(|label, _| match grouping {
            Grouping::By(kept) => kept.contains(label),
            Grouping::Without(dropped) => !dropped.contains(label),
        });
        groups.entry(labels).or_default().push(value);
    }
    let worth = |values: &[f64]| {
        let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        match aggregation {
            Aggregation::Sum => values.iter().sum(),
            Aggregation::Average => values.iter().sum::<f64>() / count,
            Aggregation::Least => values.iter().copied().fold(f64::INFINITY, f64::min),
            Aggregation::Most => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Aggregation::Count => count,
        }
    };
    groups
        .into_iter()
        .map(|(labels, values)| (labels, worth(&values)))
        .collect()
}

fn binary(operator: char, left: Outcome, right: Outcome) -> Result<Outcome, String> {
    let calculate = |one: f64, two: f64| match operator {
        '+' => one + two,
        '-' => one - two,
        '*' => one * two,
        _ => one / two,
    };
    let nameless = |mut labels: Labels| {
        labels.remove("__name__");
        labels
    };
    Ok(match (left, right) {
        (Outcome::Scalar(one), Outcome::Scalar(two)) => Outcome::Scalar(calculate(one, two)),
        (Outcome::Vector(series), Outcome::Scalar(two)) => {
            let each = series
                .into_iter()
                .map(|(labels, one)| (nameless(labels), calculate(one, two)));
            Outcome::Vector(each.collect())
        }
        (Outcome::Scalar(one), Outcome::Vector(series)) => {
            let each = series
                .into_iter()
                .map(|(labels, two)| (nameless(labels), calculate(one, two)));
            Outcome::Vector(each.collect())
        }
        (Outcome::Vector(left), Outcome::Vector(right)) => {
            let mut others: BTreeMap<Labels, f64> = BTreeMap::new();
            for (labels, value) in right {
                if others.insert(nameless(labels), value).is_some() {
                    return Err(
                        "found duplicate series for the match group on the right hand-side of the operation"
                            .into(),
                    );
                }
            }
            let each = left.into_iter().filter_map(|(labels, one)| {
                let labels = nameless(labels);
                let two = *others.get(&labels)?;
                Some((labels, calculate(one, two)))
            });
            Outcome::Vector(each.collect())
        }
    })
}
