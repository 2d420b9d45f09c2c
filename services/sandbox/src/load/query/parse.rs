//! The part of the query language that is understood: selectors with matchers, `rate`, `irate` and
//! `increase`, `sum`, `avg`, `min`, `max` and `count` with `by` or `without`, and `+ - * /`.

#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Number(f64),
    Select(Selector),
    /// A function over a range of so many seconds.
    Over(Function, Selector, f64),
    Aggregate(Aggregation, Grouping, Box<Expression>),
    Binary(char, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    pub name: String,
    pub matchers: Vec<Matcher>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    pub label: String,
    pub negative: bool,
    /// The texts one of which must fit; `.*` and `.+` in them stand for anything.
    pub choices: Vec<String>,
    pub pattern: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Rate,
    Increase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    Sum,
    Average,
    Least,
    Most,
    Count,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

pub fn parse(text: &str) -> Result<Expression, String> {
    if text.trim().is_empty() {
        return Err("unknown position: parse error: no expression found in input".into());
    }
    let mut parser = Parser { text, at: 0 };
    let expression = parser.sum()?;
    parser.blank();
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(expression)
}

/// `5m`, `1h30m`, `15s`, in seconds.
pub fn duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                "w" => 604_800.0,
                _ => return None,
            };
        rest = &rest[end..];
    }
    (total > 0.0).then_some(total)
}

/// Deeper than this nobody nests.
const DEEPEST: usize = 4096;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn unexpected(&self) -> String {
        let near: String = self.rest().chars().take(20).collect();
        format!(
            "{}: parse error: unexpected or unsupported input near {near:?}",
            self.at + 1
        )
    }

    fn take(&mut self, token: &str) -> bool {
        self.blank();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        self.blank();
        let rest = self.rest();
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        self.at += end;
        Some(&rest[..end])
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.take("+") => '+',
                () if self.take("-") => '-',
                () => return Ok(left),
            };
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.unit()?;
        loop {
            let operator = match () {
                () if self.take("*") => '*',
                () if self.take("/") => '/',
                () => return Ok(left),
            };
            left = Expression::Binary(operator, Box::new(left), Box::new(self.unit()?));
        }
    }

    fn unit(&mut self) -> Result<Expression, String> {
        self.blank();
        if self.text.len() > DEEPEST {
            return Err("parse error: the query is too long".into());
        }
        if self.take("(") {
            let inner = self.sum()?;
            self.need(")")?;
            return Ok(inner);
        }
        if self.rest().starts_with(|letter: char| letter.is_ascii_digit()) {
            let rest = self.rest();
            let end = rest
                .find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
                .unwrap_or(rest.len());
            let number = rest[..end].parse().map_err(|_| self.unexpected())?;
            self.at += end;
            return Ok(Expression::Number(number));
        }
        let start = self.at;
        let Some(word) = self.word() else {
            return Err(self.unexpected());
        };
        let aggregation = match word {
            "sum" => Some(Aggregation::Sum),
            "avg" => Some(Aggregation::Average),
            "min" => Some(Aggregation::Least),
            "max" => Some(Aggregation::Most),
            "count" => Some(Aggregation::Count),
            _ => None,
        };
        if let Some(aggregation) = aggregation {
            return self.aggregate(aggregation);
        }
        let function = match word {
            "rate" | "irate" => Some(Function::Rate),
            "increase" => Some(Function::Increase),
            _ => None,
        };
        self.blank();
        if let Some(function) = function {
            self.need("(")?;
            let selector = self.selector()?;
            self.need("[")?;
            let Some(end) = self.rest().find(']') else {
                return Err(self.unexpected());
            };
            let seconds = duration(&self.rest()[..end]).ok_or_else(|| self.unexpected())?;
            self.at += end + 1;
            self.need(")")?;
            return Ok(Expression::Over(function, selector, seconds));
        }
        if self.rest().starts_with('(') {
            return Err(format!(
                "{}: parse error: function {word:?} is not supported here",
                start + 1
            ));
        }
        self.at = start;
        let selector = self.selector()?;
        for unsupported in ["[", "offset", "@"] {
            if self.take(unsupported) {
                return Err(format!(
                    "{}: parse error: {unsupported:?} is not supported here",
                    self.at
                ));
            }
        }
        Ok(Expression::Select(selector))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, String> {
        let start = self.at;
        let make: fn(Vec<String>) -> Grouping = match self.word() {
            Some("by") => Grouping::By,
            Some("without") => Grouping::Without,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        self.need("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            labels.push(self.word().ok_or_else(|| self.unexpected())?.to_owned());
            if !self.take(",") {
                self.need(")")?;
                break;
            }
        }
        Ok(Some(make(labels)))
    }

    fn aggregate(&mut self, aggregation: Aggregation) -> Result<Expression, String> {
        let before = self.grouping()?;
        self.need("(")?;
        let inner = self.sum()?;
        self.need(")")?;
        let grouping = match before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or(Grouping::By(Vec::new())),
        };
        Ok(Expression::Aggregate(aggregation, grouping, Box::new(inner)))
    }

    fn selector(&mut self) -> Result<Selector, String> {
        let name = self.word().ok_or_else(|| self.unexpected())?.to_owned();
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                matchers.push(self.matcher()?);
                if !self.take(",") {
                    self.need("}")?;
                    break;
                }
            }
        }
        Ok(Selector { name, matchers })
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let label = self.word().ok_or_else(|| self.unexpected())?.to_owned();
        let (negative, pattern) = match () {
            () if self.take("=~") => (false, true),
            () if self.take("!~") => (true, true),
            () if self.take("!=") => (true, false),
            () if self.take("=") => (false, false),
            () => return Err(self.unexpected()),
        };
        let value = self.quoted()?;
        let choices = if pattern {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_|/:.*+".contains(letter);
            let rest = value.replace(".*", "").replace(".+", "");
            if !value.chars().all(plain) || rest.contains(['*', '+']) {
                return Err(format!(
                    "parse error: of patterns only alternatives with .* and .+ are supported here, not {value:?}"
                ));
            }
            value.split('|').map(str::to_owned).collect()
        } else {
            vec![value]
        };
        Ok(Matcher {
            label,
            negative,
            choices,
            pattern,
        })
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.blank();
        let quote = self.rest().chars().next().filter(|quote| "\"'".contains(*quote));
        let Some(quote) = quote else {
            return Err(self.unexpected());
        };
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((position, letter)) = letters.next() {
            match letter {
                '\\' => text.push(letters.next().map_or('\\', |(_, escaped)| escaped)),
                letter if letter == quote => {
                    self.at += position + 1;
                    return Ok(text);
                }
                letter => text.push(letter),
            }
        }
        Err(format!(
            "{}: parse error: unterminated quoted string",
            self.at + 1
        ))
    }
}

impl Matcher {
    pub fn fits(&self, value: &str) -> bool {
        let fits = |choice: &String| {
            if self.pattern {
                fits_pattern(choice, value)
            } else {
                choice == value
            }
        };
        self.choices.iter().any(fits) != self.negative
    }
}

fn fits_pattern(pattern: &str, value: &str) -> bool {
    let star = pattern.find(".*").map(|at| (at, 0));
    let plus = pattern.find(".+").map(|at| (at, 1));
    let Some((at, least)) = [star, plus].into_iter().flatten().min() else {
        // A lone dot stands for any letter.
        return pattern.len() == value.len()
            && pattern
                .bytes()
                .zip(value.bytes())
                .all(|(one, two)| one == two || one == b'.');
    };
    let (before, after) = (&pattern[..at], &pattern[at + 2..]);
    if value.len() < at || !value.is_char_boundary(at) || !fits_pattern(before, &value[..at]) {
        return false;
    }
    let rest = &value[at..];
    (least..=rest.len()).any(|skip| rest.is_char_boundary(skip) && fits_pattern(after, &rest[skip..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood() {
        for text in [
            "1 + 2 * 3",
            "kube_pod_info",
            r#"sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{namespace="shop",pod=~"web-.*|api-.+",container!=""}[5m]))"#,
            "avg(container_memory_working_set_bytes) by (pod) / 1024",
            "max without (id) (increase(container_fs_writes_bytes_total[1h30m]))",
        ] {
            parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        }
        assert_eq!(duration("1h30m"), Some(5400.0));
    }

    #[test]
    fn what_is_not_is_refused_with_its_place() {
        for (text, why) in [
            ("", "no expression"),
            ("topk(3, kube_pod_info)", "\"topk\" is not supported"),
            ("kube_pod_info offset 5m", "offset"),
            ("rate(kube_pod_info)", "unexpected"),
            ("kube_pod_info{pod=~\"a(b\"}", "patterns"),
            ("sum(kube_pod_info", "unexpected"),
            ("kube_pod_info}", "14: parse error"),
            ("kube_pod_info{pod=\"a}", "unterminated"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn patterns_fit_whole_values() {
        for (pattern, value, fits) in [
            ("web-.*", "web-1", true),
            ("web-.*", "my-web-1", false),
            ("web-.+", "web-", false),
            (".*web.*", "my-web-1", true),
            ("web", "web2", false),
            (".+", "", false),
        ] {
            assert_eq!(fits_pattern(pattern, value), fits, "{pattern} {value}");
        }
    }
}
