//! What a caller may see, as a condition on project and environment.

use auth::Visible;
use sea_orm::{ColumnTrait, Condition};

/// Rows whose project and environment are among those.
pub fn within<C: ColumnTrait>(visible: &Visible, project: C, environment: C) -> Condition {
    match visible {
        Visible::Everything => Condition::all(),
        // No place at all must match nothing, which an empty `any` doesn't.
        Visible::Only(places) => places.iter().fold(
            Condition::any().add(project.is_null()),
            |condition, (own, part)| {
                let here = Condition::all().add(project.eq(own.as_str()));
                condition.add(match part {
                    Some(part) => here.add(environment.eq(part.as_str())),
                    None => here,
                })
            },
        ),
    }
}

/// A pattern that finds `text` anywhere, whatever it holds.
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
