//! The grammar of image references: `[registry[:port]/]repository[:tag][@digest]`.

/// Whether a text is an image reference.
///
/// # Errors
/// Says which part isn't one.
pub fn check(reference: &str) -> Result<(), String> {
    if reference.is_empty() {
        return Err("an image is needed, such as `registry.example.com/shop/web:1.4`".to_owned());
    }
    if let Some(bad) = reference.chars().find(|character| !character.is_ascii_graphic()) {
        return Err(format!(
            "`{}` can't stand in an image reference",
            bad.escape_default()
        ));
    }
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    if let Some(digest) = digest {
        check_digest(digest)?;
    }
    // A colon behind the last slash begins the tag; one before it begins a port.
    let name_end = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[name_end..].split_once(':') {
        Some((last, tag)) => (&rest[..name_end + last.len()], Some(tag)),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    check_name(name)
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() > 255 {
        return Err("the image's name is longer than 255 characters".to_owned());
    }
    let mut parts: Vec<&str> = name.split('/').collect();
    // As Docker has it: the first part is a registry when it looks like a host.
    let first_is_host = parts.len() > 1
        && (parts[0].contains(['.', ':'])
            || parts[0] == "localhost"
            || parts[0].chars().any(char::is_uppercase));
    if first_is_host {
        check_host(parts.remove(0))?;
    }
    for part in parts {
        if !is_path_component(part) {
            return Err(if part.chars().any(char::is_uppercase) {
                format!("`{part}` must be lower case")
            } else if part.is_empty() {
                "the repository has an empty part".to_owned()
            } else {
                format!("`{part}` can't be part of a repository")
            });
        }
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), String> {
    let refused = || format!("`{host}` is not a registry's address");
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return Err(refused());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let literal = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    if literal || name.split('.').all(label) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let mut rest = part.as_bytes();
    loop {
        let word = rest
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            .count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        if rest.is_empty() {
            return true;
        }
        let joint = rest
            .iter()
            .take_while(|byte| !byte.is_ascii_lowercase() && !byte.is_ascii_digit())
            .count();
        let good = match &rest[..joint] {
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|byte| *byte == b'-'),
        };
        if !good {
            return false;
        }
        rest = &rest[joint..];
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    let first = tag.bytes().next();
    let good = first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && tag.len() <= 128
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if good {
        Ok(())
    } else if tag.is_empty() {
        Err("the tag behind `:` is empty".to_owned())
    } else {
        Err(format!("`{tag}` can't be a tag"))
    }
}

fn check_digest(digest: &str) -> Result<(), String> {
    let wanted = |algorithm: &str| match algorithm {
        "sha256" => Some(64),
        "sha512" => Some(128),
        _ => None,
    };
    let good = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        wanted(algorithm) == Some(hex.len())
            && hex
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    if good {
        Ok(())
    } else {
        Err(format!(
            "`{digest}` is not a digest; write `sha256:` and 64 hex digits"
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_of_every_shape_are_taken() {
        for reference in [
            "nginx",
            "nginx:1.29",
            "library/nginx",
            "registry.example.com/shop/web:1.4",
            "localhost:5000/web",
            "registry.example.com:5000/a/b/c_d/e__f/g-h:v1.2-rc.3",
            "[fd00::1]:5000/web",
            "web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "r.io/web:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "demo/crash-loop:1",
        ] {
            assert_eq!(check(reference), Ok(()), "{reference}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for reference in [
            "",
            "Nginx",
            "nginx:",
            "nginx:bad tag",
            "a//b",
            "/nginx",
            "nginx/",
            "nginx@sha256:12",
            "nginx@md5:0123456789abcdef0123456789abcdef",
            "registry:70000/web",
            "-bad.example.com/web",
            "web_-x",
            "web___x",
            "http://registry.example.com/web",
            "nginx:\u{fc}",
            "web\n",
        ] {
            assert!(check(reference).is_err(), "{reference:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,60}") {
            let _ = check(&text);
        }
    }
}
