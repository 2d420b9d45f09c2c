//! Kubernetes quantities: `500m`, `1Gi`, `1.5`, `2e3`.
//!
//! Values are thousandths, which is the finest that CPU and memory are asked in. [`canonical`] writes
//! what an API server would, so that what we apply is what it keeps.

/// Thousandths; `None` for what is no quantity or out of range. Rounded up, as Kubernetes does.
#[must_use]
pub fn thousandths(text: &str) -> Option<i128> {
    let (value, _) = parse(text)?;
    Some(value)
}

/// Whole units, rounded up: bytes, pods. 0 for what can't be read.
#[must_use]
pub fn units(text: &str) -> u64 {
    thousandths(text).map_or(0, |value| {
        u64::try_from((value + 999).div_euclid(1000)).unwrap_or(0)
    })
}

/// Thousandths of a core. 0 for what can't be read.
#[must_use]
pub fn millicores(text: &str) -> u64 {
    thousandths(text).map_or(0, |value| u64::try_from(value).unwrap_or(0))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

const DECIMAL: [(&str, u32); 6] = [("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];

fn parse(text: &str) -> Option<(i128, Format)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 30 {
        return None;
    }
    // The number as digits × 10^-places; everything below stays exact until the one rounding at the end.
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).ok()?;
    let (binary_shift, decimal_exponent, format) = scale(suffix)?;
    let exponent = decimal_exponent + 3 - i64::from(places);
    let scaled = digits.checked_mul(1_i128.checked_shl(binary_shift)?)?;
    let value = if exponent >= 0 {
        scaled.checked_mul(10_i128.checked_pow(u32::try_from(exponent).ok()?)?)?
    } else {
        let divisor = 10_i128.checked_pow(u32::try_from(-exponent).ok()?)?;
        scaled.checked_add(divisor - 1)? / divisor
    };
    (value <= i128::from(i64::MAX) * 1000).then_some((if negative { -value } else { value }, format))
}

fn scale(suffix: &str) -> Option<(u32, i64, Format)> {
    match suffix {
        "" => return Some((0, 0, Format::Decimal)),
        "m" => return Some((0, -3, Format::Decimal)),
        "u" => return Some((0, -6, Format::Decimal)),
        "n" => return Some((0, -9, Format::Decimal)),
        _ => {}
    }
    if let Some((_, shift)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((*shift, 0, Format::Binary));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((0, i64::from(*exponent), Format::Decimal));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-18..=18)
        .contains(&exponent)
        .then_some((0, exponent, Format::Exponent))
}

/// The quantity as an API server writes it; `None` for what is no quantity.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    let (value, format) = parse(text)?;
    if value == 0 {
        return Some("0".to_owned());
    }
    // A binary quantity below 1024 units, or with a fraction, is written as a decimal one.
    if format == Format::Binary && value % 1000 == 0 && value.abs() >= 1024 * 1000 {
        let units = value / 1000;
        let (name, shift) = BINARY
            .iter()
            .rev()
            .find(|(_, shift)| units % (1 << shift) == 0)
            .unwrap_or(&("", 0));
        return Some(format!("{}{name}", units >> shift));
    }
    let mut digits = value;
    let mut exponent = -3;
    while digits % 1000 == 0 && exponent < 18 {
        digits /= 1000;
        exponent += 3;
    }
    let suffix = match (exponent, format) {
        (-3, Format::Exponent) => "e-3".to_owned(),
        (-3, _) => "m".to_owned(),
        (0, _) => String::new(),
        (exponent, Format::Exponent) => format!("e{exponent}"),
        (exponent, _) => DECIMAL
            .iter()
            .find(|(_, own)| i64::from(*own) == exponent)
            .map_or_else(String::new, |(name, _)| (*name).to_owned()),
    };
    Some(format!("{digits}{suffix}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_read_as_kubernetes_reads_them() {
        assert_eq!(millicores("500m"), 500);
        assert_eq!(millicores("1.5"), 1500);
        assert_eq!(millicores("2e3"), 2_000_000);
        assert_eq!(millicores("1n"), 1);
        assert_eq!(units("1Gi"), 1 << 30);
        assert_eq!(units("1G"), 1_000_000_000);
        assert_eq!(units("1.5Ki"), 1536);
        assert_eq!(units("100m"), 1);
        for bad in [
            "",
            "m",
            "1x",
            "1.2.3",
            "1 Gi",
            "e3",
            "99999999999999999999Ei",
            ".0147573952589676412927Ei",
            "--1",
        ] {
            assert_eq!(thousandths(bad), None, "{bad}");
        }
    }

    #[test]
    fn quantities_are_written_as_an_api_server_writes_them() {
        for (given, written) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000Mi", "1000Mi"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("1Ki", "1Ki"),
            ("0Gi", "0"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("100000000", "100M"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(written), "{given}");
        }
    }

    proptest! {
        #[test]
        fn writing_keeps_the_value(number in 0_u64..1_000_000_000, suffix in "(m|k|M|G|Ki|Mi|Gi|)") {
            let text = format!("{number}{suffix}");
            let written = canonical(&text).unwrap();
            prop_assert_eq!(thousandths(&written), thousandths(&text));
            prop_assert_eq!(canonical(&written), Some(written));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}") {
            if let Some(written) = canonical(&text) {
                prop_assert_eq!(thousandths(&written), thousandths(&text));
            }
        }
    }
}
