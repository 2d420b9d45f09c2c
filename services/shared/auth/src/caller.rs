//! Who calls, and what they may see.

use api_types::access::{Grant, Role};
use serde::{Deserialize, Serialize};

use crate::permission::{Permission, role_holds};

/// The person or service behind a request, as the portal vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// A user's id, or `service:{name}`.
    pub subject: String,
    /// What people call them; stands in histories.
    pub name: String,
    pub grants: Vec<Grant>,
}

/// Where a permission is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    Everything,
    /// These projects, or environments of them.
    Only(Vec<(String, Option<String>)>),
}

impl Caller {
    /// A service of the platform itself, which may do all it is built to.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self {
            subject: format!("service:{name}"),
            name: name.to_owned(),
            grants: vec![Grant {
                role: Role::PlatformAdmin,
                project: None,
                environment: None,
            }],
        }
    }

    #[must_use]
    pub fn is_service(&self) -> bool {
        self.subject.starts_with("service:")
    }

    /// Whether the permission is held at this place. Without a project it must be held everywhere.
    #[must_use]
    pub fn may(&self, permission: Permission, project: Option<&str>, environment: Option<&str>) -> bool {
        self.grants.iter().any(|grant| {
            role_holds(grant.role, permission)
                && grant.project.as_deref().is_none_or(|own| Some(own) == project)
                && grant
                    .environment
                    .as_deref()
                    .is_none_or(|own| Some(own) == environment)
        })
    }

    /// Whether the permission is held anywhere at all.
    #[must_use]
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        self.grants.iter().any(|grant| role_holds(grant.role, permission))
    }

    /// Everywhere the permission is held; lists show nothing else.
    #[must_use]
    pub fn visible(&self, permission: Permission) -> Visible {
        let mut places = Vec::new();
        for grant in self
            .grants
            .iter()
            .filter(|grant| role_holds(grant.role, permission))
        {
            match &grant.project {
                None => return Visible::Everything,
                Some(project) => places.push((project.clone(), grant.environment.clone())),
            }
        }
        Visible::Only(places)
    }
}

impl Visible {
    /// Whether a place is among those.
    #[must_use]
    pub fn includes(&self, project: &str, environment: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(places) => places
                .iter()
                .any(|(own, part)| own == project && part.as_deref().is_none_or(|part| part == environment)),
        }
    }

    /// Whether anything of a project is among those.
    #[must_use]
    pub fn includes_project(&self, project: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(places) => places.iter().any(|(own, _)| own == project),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(grants: &[(Role, Option<&str>, Option<&str>)]) -> Caller {
        Caller {
            subject: "u".into(),
            name: "u".into(),
            grants: grants
                .iter()
                .map(|(role, project, environment)| Grant {
                    role: *role,
                    project: project.map(Into::into),
                    environment: environment.map(Into::into),
                })
                .collect(),
        }
    }

    #[test]
    fn a_grant_reaches_as_far_as_it_is_bound() {
        let developer = caller(&[
            (Role::Developer, Some("shop"), Some("test")),
            (Role::Viewer, Some("shop"), None),
        ]);
        assert!(developer.may(Permission::ServiceWrite, Some("shop"), Some("test")));
        assert!(!developer.may(Permission::ServiceWrite, Some("shop"), Some("production")));
        assert!(developer.may(Permission::ServiceRead, Some("shop"), Some("production")));
        assert!(!developer.may(Permission::ServiceRead, Some("bank"), Some("test")));
        assert!(!developer.may(Permission::ServiceRead, None, None));
        assert!(developer.may_somewhere(Permission::ServiceWrite));
        assert!(!developer.may_somewhere(Permission::ClusterWrite));
    }

    #[test]
    fn lists_show_where_the_permission_is_held() {
        let developer = caller(&[(Role::Developer, Some("shop"), Some("test"))]);
        let visible = developer.visible(Permission::ServiceRead);
        assert!(visible.includes("shop", "test"));
        assert!(!visible.includes("shop", "production"));
        assert!(visible.includes_project("shop"));
        assert_eq!(
            caller(&[(Role::Operator, None, None)]).visible(Permission::ServiceRead),
            Visible::Everything
        );
        assert_eq!(
            caller(&[]).visible(Permission::ServiceRead),
            Visible::Only(vec![])
        );
    }
}
