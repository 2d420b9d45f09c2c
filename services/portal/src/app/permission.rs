//! Whether a call may go on. Pure, so that every role can be tried on every operation.

use auth::{Caller, Permission};

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// The token of a cluster's agent, which the service itself checks: it is nobody's, and holds nothing else.
    ClusterToken,
    SignedIn,
    Needs(Permission),
}

/// Where a call applies: the path's project and environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope<'a> {
    pub project: Option<&'a str>,
    pub environment: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// The caller sees nothing there, and is not told whether it exists.
    Hidden,
    Denied,
}

/// Decides on one call.
///
/// What only reads is allowed when the permission is held anywhere within the scope (anywhere at all
/// without one): the services show no more than the caller may see. A change needs the permission on
/// the whole of its scope.
#[must_use]
pub fn decide(caller: &Caller, permission: Permission, reads: bool, scope: Scope<'_>) -> Decision {
    let allowed = match scope {
        Scope { project: None, .. } => {
            caller.may(permission, None, None) || (reads && caller.may_somewhere(permission))
        }
        Scope {
            project: Some(project),
            environment: None,
        } => {
            caller.may(permission, Some(project), None)
                || (reads && caller.visible(permission).includes_project(project))
        }
        Scope { project, environment } => caller.may(permission, project, environment),
    };
    if allowed {
        return Decision::Allowed;
    }
    match scope.project {
        Some(project) if !sees(caller, project, scope.environment) => Decision::Hidden,
        _ => Decision::Denied,
    }
}

fn sees(caller: &Caller, project: &str, environment: Option<&str>) -> bool {
    Permission::ALL
        .iter()
        .filter(|permission| permission.name().ends_with(":read"))
        .any(|permission| match environment {
            Some(_) => caller.may(*permission, Some(project), environment),
            None => caller.visible(*permission).includes_project(project),
        })
}

#[cfg(test)]
mod tests {
    use api_types::access::{Grant, Role};

    use super::*;

    fn caller(role: Role, project: Option<&str>, environment: Option<&str>) -> Caller {
        Caller {
            subject: "u".into(),
            name: "u".into(),
            grants: vec![Grant {
                role,
                project: project.map(Into::into),
                environment: environment.map(Into::into),
            }],
        }
    }

    const fn at<'a>(project: Option<&'a str>, environment: Option<&'a str>) -> Scope<'a> {
        Scope { project, environment }
    }

    #[test]
    fn a_developer_of_an_environment_reads_the_project_and_changes_the_environment() {
        let developer = caller(Role::Developer, Some("shop"), Some("test"));
        let decide = |permission, reads, scope| decide(&developer, permission, reads, scope);
        assert_eq!(
            decide(Permission::ProjectRead, true, at(Some("shop"), None)),
            Decision::Allowed
        );
        assert_eq!(
            decide(Permission::ServiceWrite, false, at(Some("shop"), Some("test"))),
            Decision::Allowed
        );
        assert_eq!(
            decide(
                Permission::ServiceWrite,
                false,
                at(Some("shop"), Some("production"))
            ),
            Decision::Hidden
        );
        assert_eq!(
            decide(Permission::ProjectWrite, false, at(Some("shop"), None)),
            Decision::Denied
        );
        assert_eq!(
            decide(Permission::ProjectRead, true, at(Some("bank"), None)),
            Decision::Hidden
        );
        assert_eq!(
            decide(Permission::ServiceRead, true, at(None, None)),
            Decision::Allowed
        );
        assert_eq!(
            decide(Permission::ClusterWrite, false, at(None, None)),
            Decision::Denied
        );
    }

    #[test]
    fn a_change_without_scope_needs_the_permission_everywhere() {
        let owner = caller(Role::ProjectOwner, Some("shop"), None);
        assert_eq!(
            decide(&owner, Permission::ProjectWrite, false, at(None, None)),
            Decision::Denied
        );
        assert_eq!(
            decide(&owner, Permission::ProjectWrite, false, at(Some("shop"), None)),
            Decision::Allowed
        );
        let everywhere = caller(Role::ProjectOwner, None, None);
        assert_eq!(
            decide(&everywhere, Permission::ProjectWrite, false, at(None, None)),
            Decision::Allowed
        );
    }

    #[test]
    fn a_viewer_is_told_what_is_missing_where_they_may_look() {
        let viewer = caller(Role::Viewer, Some("shop"), None);
        assert_eq!(
            decide(
                &viewer,
                Permission::ServiceDelete,
                false,
                at(Some("shop"), Some("test"))
            ),
            Decision::Denied
        );
        let nobody = Caller {
            subject: "u".into(),
            name: "u".into(),
            grants: vec![],
        };
        assert_eq!(
            decide(
                &nobody,
                Permission::ServiceRead,
                true,
                at(Some("shop"), Some("test"))
            ),
            Decision::Hidden
        );
        assert_eq!(
            decide(&nobody, Permission::ServiceRead, true, at(None, None)),
            Decision::Denied
        );
    }
}
