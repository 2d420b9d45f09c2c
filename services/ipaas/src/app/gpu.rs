//! What GPUs are called.

use std::sync::Arc;

/// The name of the extended resource that counts as GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuResource(Arc<str>);

impl GpuResource {
    /// As the device plugin of most clusters names them.
    pub const USUAL: &str = "nvidia.com/gpu";

    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// In words, what is wrong with a name: Kubernetes takes only those with a domain, such as `nvidia.com/gpu`.
    ///
    /// # Errors
    /// As said.
    pub fn check(name: &str) -> Result<(), String> {
        let good = |part: &str| {
            let letters = |letter: char| letter.is_ascii_alphanumeric();
            !part.is_empty()
                && part.len() <= 63
                && part.starts_with(letters)
                && part.ends_with(letters)
                && part
                    .chars()
                    .all(|letter| letters(letter) || matches!(letter, '-' | '_' | '.'))
        };
        match name.split_once('/') {
            Some((domain, rest)) if good(domain) && good(rest) => Ok(()),
            _ => Err(format!(
                "`{name}` is no name of an extended resource, such as `{}`",
                Self::USUAL
            )),
        }
    }
}

impl Default for GpuResource {
    fn default() -> Self {
        Self::new(Self::USUAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_a_domain() {
        for good in ["nvidia.com/gpu", "amd.com/gpu", "nvidia.com/mig-1g.5gb"] {
            assert_eq!(GpuResource::check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "gpu",
            "/gpu",
            "nvidia.com/",
            "a/b/c",
            "nvidia.com/g pu",
            "-a/b",
        ] {
            assert!(GpuResource::check(bad).is_err(), "{bad}");
        }
    }
}
