//! Figures and times as people read and write them. Pure.

use std::time::Duration;

use api_types::clusters::ResourceAmounts;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

const LONGEST_MESSAGE: usize = 90;

/// `90s`, `15m`, `2h`, `1d`.
///
/// # Errors
/// Says how a time is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refused =
        || format!("`{text}` is no time; write a number with s, m, h or d behind it, such as 90s or 15m");
    let unit = text.chars().last().ok_or_else(refused)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(refused()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| refused())?;
    Ok(Duration::from_secs(u64::from(number) * factor))
}

/// How long ago: `8s`, `12m`, `3h`, `40d`.
#[must_use]
pub fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    span((now - at).max(TimeDelta::zero()))
}

fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// CPUs: `1500` millicores are `1.5`.
#[must_use]
pub fn cpu(millicores: u64) -> String {
    if millicores.is_multiple_of(1000) {
        (millicores / 1000).to_string()
    } else {
        format!("{:.1}", millicores as f64 / 1000.0)
    }
}

/// Bytes in the largest binary unit that keeps a whole digit: `1.5 GiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if value.fract() == 0.0 || value >= 100.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// CPU, memory and GPUs, each as a part of the whole: `1.5 of 12`, `1 GiB of 48 GiB`, `2 of 8`.
#[must_use]
pub fn parts(part: &ResourceAmounts, whole: &ResourceAmounts) -> [String; 3] {
    [
        format!("{} of {}", cpu(part.cpu_millicores), cpu(whole.cpu_millicores)),
        format!("{} of {}", bytes(part.memory_bytes), bytes(whole.memory_bytes)),
        match whole.gpus {
            0 => "-".to_owned(),
            all => format!("{} of {all}", part.gpus),
        },
    ]
}

/// A message as a list has room for it.
#[must_use]
pub fn short(message: &str) -> String {
    if message.chars().count() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let kept: String = message.chars().take(LONGEST_MESSAGE - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The word that the API has for a value of an enum: `platform_admin`.
#[must_use]
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "5", "m", "-5m", "1.5h", "5µ", "99999999999s", "5 m"] {
            assert!(parse_duration(text).unwrap_err().contains("such as"), "{text}");
        }
    }

    #[test]
    fn an_age_has_one_unit() {
        let now = Utc::now();
        let ago = |seconds| age(now - TimeDelta::seconds(seconds), now);
        assert_eq!(
            [ago(-5), ago(8), ago(119), ago(120), ago(7300), ago(172_800)],
            ["0s", "8s", "119s", "2m", "2h", "2d"]
        );
    }

    #[test]
    fn amounts_are_short() {
        assert_eq!(
            [cpu(0), cpu(250), cpu(1500), cpu(12_000)],
            ["0", "0.2", "1.5", "12"]
        );
        assert_eq!(
            [bytes(0), bytes(1024), bytes(1_610_612_736), bytes(200 << 30)],
            ["0 B", "1 KiB", "1.5 GiB", "200 GiB"]
        );
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(short("short"), "short");
        let cut = short(&"长".repeat(200));
        assert_eq!(cut.chars().count(), 90);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn words_are_the_apis() {
        assert_eq!(word(api_types::access::Role::PlatformAdmin), "platform_admin");
        assert_eq!(word(3), "");
    }
}
