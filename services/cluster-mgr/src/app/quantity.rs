//! Kubernetes quantities: `500m`, `1.5`, `256Mi`, `2e3`.

/// What the database and sums of many can hold.
const MOST: u128 = 1 << 61;

/// A quantity as thousandths, so that `m` is exact.
///
/// Rounds up what is finer than a thousandth, as Kubernetes does for `n` and `u`.
///
/// # Errors
/// Says what is wrong in words that fit behind a field's name.
pub fn parse_milli(text: &str) -> Result<u128, String> {
    let unreadable = || format!("`{text}` is not a quantity; write it as `500m`, `2`, `256Mi` or `1.5Gi`");
    if text.is_empty() {
        return Err("a quantity is needed, such as `500m` or `256Mi`".to_owned());
    }
    if text.starts_with('-') {
        return Err(format!("`{text}` is less than nothing"));
    }
    let digits_end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 24 {
        return Err(unreadable());
    }
    // value = mantissa / 10^scale * numerator / denominator
    let mantissa: u128 = format!("{whole}{fraction}").parse().map_err(|_| unreadable())?;
    let scale = 10u128.pow(fraction.len() as u32);
    let (numerator, denominator) = multiplier(suffix).ok_or_else(unreadable)?;
    let too_much = || format!("`{text}` is more than can be counted");
    let top = mantissa
        .checked_mul(numerator)
        .and_then(|value| value.checked_mul(1000))
        .ok_or_else(too_much)?;
    let bottom = scale.checked_mul(denominator).ok_or_else(too_much)?;
    let milli = top.div_ceil(bottom);
    if milli > MOST * 1000 {
        return Err(too_much());
    }
    Ok(milli)
}

fn multiplier(suffix: &str) -> Option<(u128, u128)> {
    let binary = |power: u32| Some((1u128 << (10 * power), 1));
    let decimal = |power: u32| Some((10u128.pow(power), 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10u128.pow(Some(exponent.unsigned_abs()).filter(|power| *power <= 18)?);
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
}

/// CPU in millicores.
pub fn parse_cpu(text: &str) -> Result<u64, String> {
    let milli = parse_milli(text)?;
    if milli > MOST {
        return Err(format!("`{text}` is more than can be counted"));
    }
    Ok(milli as u64)
}

/// Memory in bytes.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    parse_milli(text).map(|milli| milli.div_ceil(1000) as u64)
}

/// Millicores for a person: `1.5 CPU`.
pub fn show_cpu(millicores: u64) -> String {
    if millicores.is_multiple_of(1000) {
        format!("{} CPU", millicores / 1000)
    } else {
        format!("{millicores}m CPU")
    }
}

/// Bytes for a person: `1.5 GiB`.
pub fn show_memory(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, size) in UNITS {
        if bytes >= size {
            let tenths = bytes as f64 / size as f64;
            return if bytes.is_multiple_of(size) {
                format!("{} {unit}", bytes / size)
            } else {
                format!("{tenths:.1} {unit}")
            };
        }
    }
    format!("{bytes} B")
}

/// GPUs for a person: `2 GPUs`.
pub fn show_gpus(count: u64) -> String {
    match count {
        0 => "no GPUs".to_owned(),
        1 => "1 GPU".to_owned(),
        many => format!("{many} GPUs"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_read_as_kubernetes_reads_them() {
        for (text, millicores) in [
            ("1", 1000),
            ("500m", 500),
            ("0.1", 100),
            (".5", 500),
            ("2.", 2000),
            ("1k", 1_000_000),
            ("1e3", 1_000_000),
            ("5e-1", 500),
            ("1n", 1),
            ("1500u", 2),
            ("0", 0),
        ] {
            assert_eq!(parse_cpu(text), Ok(millicores), "{text}");
        }
        for (text, bytes) in [
            ("1Gi", 1 << 30),
            ("1.5Ki", 1536),
            ("128974848", 128_974_848),
            ("129M", 129_000_000),
            ("128974848000m", 128_974_848),
            ("1E", 1_000_000_000_000_000_000),
        ] {
            assert_eq!(
                parse_memory(text).map(u128::from),
                Ok(bytes)
                    .map(|bytes: u64| u128::from(bytes))
                    .map_err(|error: String| error),
                "{text}"
            );
        }
    }

    #[test]
    fn rubbish_is_refused_with_the_text_in_the_reason() {
        for text in [
            "",
            "x",
            "1 Gi",
            "-1",
            "1..2",
            "1GiB",
            "1e99",
            ".",
            "１",
            "99999999999999999999E",
            "1e-2147483648",
        ] {
            assert!(parse_milli(text).is_err(), "{text}");
        }
        assert!(parse_milli("1GB").unwrap_err().contains("`1GB`"));
    }

    #[test]
    fn amounts_are_shown_for_people() {
        assert_eq!(show_cpu(2000), "2 CPU");
        assert_eq!(show_cpu(250), "250m CPU");
        assert_eq!(show_memory(3 << 30), "3 GiB");
        assert_eq!(show_memory((3 << 30) + (1 << 29)), "3.5 GiB");
        assert_eq!(show_memory(12), "12 B");
        assert_eq!([0, 1, 2].map(show_gpus), ["no GPUs", "1 GPU", "2 GPUs"]);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,30}") {
            let _ = parse_milli(&text);
        }

        #[test]
        fn millis_read_back(milli in 0u64..=1 << 61) {
            prop_assert_eq!(parse_cpu(&format!("{milli}m")), Ok(milli));
        }
    }
}
