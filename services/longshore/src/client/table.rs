//! Tables and pairs for people. Pure.

use unicode_width::UnicodeWidthStr as _;

const GAP: &str = "   ";

/// Columns with their titles, as wide as what is in them.
#[derive(Clone, Debug)]
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        Self {
            titles: titles.to_vec(),
            rows: Vec::new(),
        }
    }

    /// A row; what has several lines is written on one.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.titles.len(), "a row has a cell for each column");
        self.rows.push(cells.map(|cell| one_line(&cell)).to_vec());
    }

    /// What is written; `nothing` when there are no rows.
    #[must_use]
    pub fn text(&self, nothing: &str) -> String {
        if self.rows.is_empty() {
            return format!("{nothing}\n");
        }
        let titles: Vec<String> = self.titles.iter().map(|title| title.to_uppercase()).collect();
        aligned(std::iter::once(&titles).chain(&self.rows))
    }
}

/// Names and values below each other; what is empty is left out.
#[must_use]
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| vec![(*name).to_owned(), one_line(value)])
        .collect();
    aligned(rows.iter())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn aligned<'a>(rows: impl Iterator<Item = &'a Vec<String>> + Clone) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.clone() {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width()));
            line.push_str(GAP);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", "message"]);
        table.row(["web".into(), "all is\nwell".into()]);
        table.row(["首页-service".into(), String::new()]);
        assert_eq!(
            table.text("none"),
            "NAME           MESSAGE\nweb            all is well\n首页-service\n"
        );
        assert_eq!(Table::new(&["name"]).text("no services"), "no services\n");
    }

    #[test]
    fn pairs_leave_out_what_is_empty() {
        let text = pairs(&[
            ("name", "web".into()),
            ("description", String::new()),
            ("image", "a".into()),
        ]);
        assert_eq!(text, "name    web\nimage   a\n");
    }
}
