//! Quantities ("500m", "1.5Gi") with the arithmetic and the canonical form of `resource.Quantity`.

use serde_json::Value;

const NANO: i128 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Binary,
    Decimal,
    Exponent,
}

/// An amount, kept in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
pub struct BadQuantity;

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// From 10^-9 to 10^18 in steps of a thousand.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

impl std::str::FromStr for Quantity {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let text = text.trim();
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(BadQuantity);
        }
        let (numerator, denominator, format) = multiplier(suffix).ok_or(BadQuantity)?;
        let fraction = &fraction[..fraction.len().min(18)];
        let scale = 10_i128.pow(u32::try_from(fraction.len()).map_err(|_| BadQuantity)?);
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| BadQuantity)?
        };
        let fraction: i128 = if fraction.is_empty() {
            0
        } else {
            fraction.parse().map_err(|_| BadQuantity)?
        };
        // More than an exabyte of nano-units does not fit and is cut, as the real one cuts it.
        let amount = whole
            .checked_mul(scale)
            .and_then(|digits| digits.checked_add(fraction));
        let product = amount.and_then(|digits| digits.checked_mul(NANO)?.checked_mul(numerator));
        let nano = match product {
            Some(product) => {
                let divisor = scale * denominator;
                product.div_euclid(divisor) + i128::from(product.rem_euclid(divisor) != 0)
            }
            None => i128::from(i64::MAX) * NANO,
        };
        let nano = nano.min(i128::from(i64::MAX) * NANO);
        Ok(Self {
            nano: if negative { -nano } else { nano },
            format,
        })
    }
}

fn multiplier(suffix: &str) -> Option<(i128, i128, Format)> {
    if let Some(power) = BINARY.iter().position(|name| *name == suffix) {
        return Some((1024_i128.pow(u32::try_from(power + 1).ok()?), 1, Format::Binary));
    }
    if let Some(step) = DECIMAL.iter().position(|name| *name == suffix) {
        return Some(if step < 3 {
            (1, 1000_i128.pow(u32::try_from(3 - step).ok()?), Format::Decimal)
        } else {
            (1000_i128.pow(u32::try_from(step - 3).ok()?), 1, Format::Decimal)
        });
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = 10_i128
        .checked_pow(exponent.unsigned_abs())
        .filter(|_| exponent.abs() <= 18)?;
    Some(if exponent < 0 {
        (1, power, Format::Exponent)
    } else {
        (power, 1, Format::Exponent)
    })
}

impl Quantity {
    /// In thousandths, rounded up: how CPU is counted.
    pub fn milli(self) -> i64 {
        i64::try_from(ceil(self.nano, NANO / 1000)).unwrap_or(i64::MAX)
    }

    /// In whole units, rounded up: how memory and pods are counted.
    pub fn units(self) -> i64 {
        i64::try_from(ceil(self.nano, NANO)).unwrap_or(i64::MAX)
    }

    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    pub fn cmp(self, other: Self) -> std::cmp::Ordering {
        self.nano.cmp(&other.nano)
    }
}

fn ceil(value: i128, unit: i128) -> i128 {
    value.div_euclid(unit) + i128::from(value.rem_euclid(unit) != 0)
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nano == 0 {
            return formatter.write_str("0");
        }
        let kilo = 1024 * NANO;
        if self.format == Format::Binary && self.nano.abs() >= kilo && self.nano % NANO == 0 {
            let mut amount = self.nano / NANO;
            let mut power = 0;
            while power < BINARY.len() && amount % 1024 == 0 {
                amount /= 1024;
                power += 1;
            }
            let suffix = if power == 0 { "" } else { BINARY[power - 1] };
            return write!(formatter, "{amount}{suffix}");
        }
        let mut amount = self.nano;
        let mut step = 0;
        while step + 1 < DECIMAL.len() && amount % 1000 == 0 {
            amount /= 1000;
            step += 1;
        }
        if self.format == Format::Exponent && step > 3 {
            return write!(formatter, "{amount}e{}", (step - 3) * 3);
        }
        write!(formatter, "{amount}{}", DECIMAL[step])
    }
}

/// Reads a quantity of a resource list; nothing counts as zero.
pub fn read(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// The fields whose values are maps of quantities, wherever they stand.
const LISTS: [&str; 6] = [
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "overhead",
    "hard",
];

/// Brings every resource list of an object into canonical form, as decoding does on the real
/// server ("1000m" becomes "1", "1024Mi" becomes "1Gi").
pub fn canonicalize(value: &mut Value) -> Result<(), BadQuantity> {
    match value {
        Value::Array(array) => array.iter_mut().try_for_each(canonicalize),
        Value::Object(object) => {
            for (field, child) in object {
                if let (true, Value::Object(list)) = (LISTS.contains(&field.as_str()), &mut *child) {
                    for quantity in list.values_mut().filter(|quantity| !quantity.is_null()) {
                        *quantity = read(quantity).ok_or(BadQuantity)?.to_string().into();
                    }
                } else if field == "sizeLimit" || field == "divisor" {
                    if !child.is_null() {
                        *child = read(child).ok_or(BadQuantity)?.to_string().into();
                    }
                } else {
                    canonicalize(child)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("64Mi", "64Mi"),
            ("0.1Ki", "102400m"),
            ("512", "512"),
            ("1e3", "1e3"),
            ("2E", "2E"),
            ("0", "0"),
            ("0Gi", "0"),
            ("-1", "-1"),
            (".5", "500m"),
            ("1n", "1n"),
            ("0.1n", "1n"),
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), canonical, "{text}");
        }
        for bad in ["", "abc", "1.2.3", "1Kb", "1 Gi", "--1", "e3", "1e"] {
            assert!(bad.parse::<Quantity>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn canonical_form_is_stable_and_equal(number in 0_u32..2_000_000, suffix in 0_usize..16) {
            let suffix = BINARY.iter().chain(&DECIMAL).nth(suffix).unwrap();
            let parsed: Quantity = format!("{number}{suffix}").parse().unwrap();
            let again: Quantity = parsed.to_string().parse().unwrap();
            proptest::prop_assert_eq!(parsed.nano, again.nano);
            proptest::prop_assert_eq!(parsed.to_string(), again.to_string());
        }
    }
}
