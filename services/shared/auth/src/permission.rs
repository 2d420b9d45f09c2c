//! What can be permitted, and what each role holds.

use std::fmt;
use std::str::FromStr;

use api_types::access::Role;

/// Declares the permissions with their names, in one place.
macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Something a caller may be allowed to do. Its name stands in `x-permission` of the API documents.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $variant),+
        }

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl FromStr for Permission {
            type Err = UnknownPermission;

            fn from_str(name: &str) -> Result<Self, UnknownPermission> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(UnknownPermission(name.to_owned())),
                }
            }
        }
    };
}

permissions! {
    ClusterRead = "cluster:read",
    /// Register, change, cordon, remove.
    ClusterWrite = "cluster:write",
    ProjectRead = "project:read",
    /// Create projects and environments, change and remove them.
    ProjectWrite = "project:write",
    /// Quotas of projects, and prices.
    QuotaWrite = "quota:write",
    /// Give and take roles within a project.
    MemberWrite = "member:write",
    ServiceRead = "service:read",
    /// Create, configure, scale, place.
    ServiceWrite = "service:write",
    /// Bring a revision to run, restart.
    ServiceRelease = "service:release",
    ServiceDelete = "service:delete",
    OperationRead = "operation:read",
    /// Pods, their containers and events.
    PodRead = "pod:read",
    PodLogs = "pod:logs",
    /// Destroy one instance; its Deployment makes another.
    PodDelete = "pod:delete",
    AuditRead = "audit:read",
    UserRead = "user:read",
    /// Users, roles and bindings.
    UserWrite = "user:write",
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission `{0}`")]
pub struct UnknownPermission(String);

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Every role, from all to little: each holds all that those after it hold.
pub const ROLES: &[Role] = &[
    Role::PlatformAdmin,
    Role::Operator,
    Role::ProjectOwner,
    Role::Developer,
    Role::Viewer,
];

/// Whether a role can be held in a project, or only everywhere.
#[must_use]
pub fn within_project(role: Role) -> bool {
    !matches!(role, Role::PlatformAdmin | Role::Operator)
}

/// Whether a role holds a permission, where it is bound.
#[must_use]
pub fn role_holds(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::PlatformAdmin => true,
        Role::Operator => permission != P::UserWrite,
        Role::ProjectOwner => !matches!(
            permission,
            P::ClusterWrite | P::QuotaWrite | P::UserRead | P::UserWrite
        ),
        Role::Developer => matches!(
            permission,
            P::ClusterRead
                | P::ProjectRead
                | P::ServiceRead
                | P::ServiceWrite
                | P::ServiceRelease
                | P::OperationRead
                | P::PodRead
                | P::PodLogs
                | P::PodDelete
        ),
        Role::Viewer => matches!(
            permission,
            P::ClusterRead | P::ProjectRead | P::ServiceRead | P::OperationRead | P::PodRead | P::PodLogs
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse::<Permission>(), Ok(*permission));
        }
        assert!("service:fly".parse::<Permission>().is_err());
    }

    #[test]
    fn every_role_holds_all_that_the_roles_below_it_hold() {
        for pair in ROLES.windows(2) {
            for permission in Permission::ALL {
                assert!(
                    !role_holds(pair[1], *permission) || role_holds(pair[0], *permission),
                    "{:?} holds {permission}, {:?} does not",
                    pair[1],
                    pair[0]
                );
            }
        }
    }

    #[test]
    fn a_viewer_changes_nothing() {
        for permission in Permission::ALL {
            let reads = permission.name().ends_with(":read") || *permission == Permission::PodLogs;
            assert!(reads || !role_holds(Role::Viewer, *permission), "{permission}");
        }
    }
}
