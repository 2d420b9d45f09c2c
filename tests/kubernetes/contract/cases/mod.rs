//! The list of cases.

mod apply;
mod commands;
mod configuration;
mod defaults;
mod definitions;
mod deletion;
mod deployments;
mod discovery;
mod jobs;
mod kubectl;
mod lists;
mod logs;
mod patches;
mod pods;
mod rollouts;
mod services;
mod subresources;
mod watches;
mod writes;

use crate::case::Described;

/// Lists the cases of a module, which is their group; `since 21` says which minor version of Kubernetes brought it.
macro_rules! cases {
    ($($name:ident $(since $minor:literal)?),* $(,)?) => {
        pub fn cases() -> Vec<crate::case::Described> {
            let group = module_path!().rsplit("::").next().expect("a module has a name");
            vec![$(crate::case::Described {
                group,
                name: stringify!($name),
                since: 0 $(+ $minor)?,
                body: |case| Box::pin($name(case)),
            }),*]
        }
    };
}
use cases;

pub fn all() -> Vec<Described> {
    [
        apply::cases(),
        commands::cases(),
        configuration::cases(),
        defaults::cases(),
        definitions::cases(),
        deletion::cases(),
        deployments::cases(),
        discovery::cases(),
        jobs::cases(),
        kubectl::cases(),
        lists::cases(),
        logs::cases(),
        patches::cases(),
        pods::cases(),
        rollouts::cases(),
        services::cases(),
        subresources::cases(),
        watches::cases(),
        writes::cases(),
    ]
    .concat()
}
