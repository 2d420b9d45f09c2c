//! What roles can be given, and what they let their holder see.

use api_types::access::{Grant, Role, RoleDescription};
use api_types::changes::{Change, Topic};
use api_types::common::FieldError;
use auth::permission::{ROLES, role_holds, within_project};
use auth::{Caller, Permission, Visible};

/// Why a grant can't be given.
#[must_use]
pub fn check(grant: &Grant) -> Vec<FieldError> {
    let mut fields = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        fields.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    if grant.environment.is_some() && grant.project.is_none() {
        refuse(
            "grant.environment",
            "an environment is one of a project: name the project too",
        );
    }
    if !within_project(grant.role) && grant.project.is_some() {
        refuse(
            "grant.project",
            "this role holds for the whole platform; leave the project out",
        );
    }
    for (field, name) in [
        ("grant.project", &grant.project),
        ("grant.environment", &grant.environment),
    ] {
        if let Some(name) = name
            && !is_label(name)
        {
            refuse(
                field,
                "must be lower-case letters, digits and `-`, beginning and ending with a letter or digit",
            );
        }
    }
    fields
}

/// What is left of `held` within `most`: in each place that both reach, the lesser of both roles.
#[must_use]
pub fn narrowed(held: &[Grant], most: &Grant) -> Vec<Grant> {
    held.iter().filter_map(|own| common(own, most)).collect()
}

fn common(one: &Grant, other: &Grant) -> Option<Grant> {
    let narrower = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) if a != b => Err(()),
        (Some(name), _) | (None, Some(name)) => Ok(Some(name.clone())),
        (None, None) => Ok(None),
    };
    Some(Grant {
        // Roles are a chain, from all to little.
        role: one.role.max(other.role),
        project: narrower(&one.project, &other.project).ok()?,
        environment: narrower(&one.environment, &other.environment).ok()?,
    })
}

/// Whether a caller holds all that a grant gives.
#[must_use]
pub fn holds_all(caller: &Caller, grant: &Grant) -> bool {
    Permission::ALL
        .iter()
        .filter(|permission| role_holds(grant.role, **permission))
        .all(|permission| {
            caller.may(
                *permission,
                grant.project.as_deref(),
                grant.environment.as_deref(),
            )
        })
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The names of every permission held in at least one place, in their fixed order.
#[must_use]
pub fn permissions(grants: &[Grant]) -> Vec<String> {
    Permission::ALL
        .iter()
        .filter(|permission| grants.iter().any(|grant| role_holds(grant.role, **permission)))
        .map(|permission| permission.name().to_owned())
        .collect()
}

/// What each role may do.
#[must_use]
pub fn roles() -> Vec<RoleDescription> {
    let describe = |role: &Role| RoleDescription {
        role: *role,
        within_project: within_project(*role),
        permissions: Permission::ALL
            .iter()
            .filter(|permission| role_holds(*role, **permission))
            .map(|permission| permission.name().to_owned())
            .collect(),
    };
    ROLES.iter().map(describe).collect()
}

/// Whether a caller may learn that something changed.
#[must_use]
pub fn may_see(caller: &Caller, change: &Change) -> bool {
    let permission = match change.topic {
        Topic::Clusters => Permission::ClusterRead,
        Topic::Projects => Permission::ProjectRead,
        Topic::Services | Topic::Workloads => Permission::ServiceRead,
        Topic::Operations => Permission::OperationRead,
        Topic::Pods => Permission::PodRead,
        Topic::Audit => Permission::AuditRead,
    };
    let visible = caller.visible(permission);
    match (&change.project, &change.environment) {
        (Some(project), Some(environment)) => visible.includes(project, environment),
        (Some(project), None) => visible.includes_project(project),
        // What concerns no project is told to all who may read of its kind; the audit is not.
        (None, _) if change.topic == Topic::Audit => visible == Visible::Everything,
        (None, _) => caller.may_somewhere(permission),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, project: Option<&str>, environment: Option<&str>) -> Grant {
        Grant {
            role,
            project: project.map(Into::into),
            environment: environment.map(Into::into),
        }
    }

    #[test]
    fn grants_that_mean_nothing_are_refused() {
        assert!(check(&grant(Role::Developer, Some("shop"), Some("test"))).is_empty());
        assert!(check(&grant(Role::Viewer, None, None)).is_empty());
        assert_eq!(check(&grant(Role::Developer, None, Some("test"))).len(), 1);
        assert_eq!(check(&grant(Role::PlatformAdmin, Some("shop"), None)).len(), 1);
        assert_eq!(check(&grant(Role::Viewer, Some("Shop!"), None)).len(), 1);
        assert_eq!(check(&grant(Role::Viewer, Some(""), None)).len(), 1);
    }

    #[test]
    fn a_narrowed_grant_is_the_lesser_role_in_the_narrower_place() {
        let shop = |role| grant(role, Some("shop"), None);
        let everywhere = grant(Role::PlatformAdmin, None, None);
        let test = grant(Role::Developer, Some("shop"), Some("test"));
        assert_eq!(narrowed(&[everywhere], &test), std::slice::from_ref(&test));
        assert_eq!(
            narrowed(&[shop(Role::Viewer)], &test),
            [grant(Role::Viewer, Some("shop"), Some("test"))]
        );
        assert_eq!(
            narrowed(std::slice::from_ref(&test), &shop(Role::Viewer)),
            [grant(Role::Viewer, Some("shop"), Some("test"))]
        );
        assert!(narrowed(&[grant(Role::ProjectOwner, Some("bank"), None)], &test).is_empty());
        assert!(narrowed(&[grant(Role::Developer, Some("shop"), Some("production"))], &test).is_empty());
        assert!(narrowed(&[], &test).is_empty());
    }

    /// Every pair of grants over two projects and two environments: what is left holds a permission at
    /// a place exactly where both hold it.
    #[test]
    fn a_narrowed_grant_holds_where_both_hold() {
        let mut all = Vec::new();
        for role in auth::permission::ROLES {
            for (project, environment) in [
                (None, None),
                (Some("a"), None),
                (Some("a"), Some("x")),
                (Some("b"), Some("y")),
            ] {
                all.push(grant(*role, project, environment));
            }
        }
        let caller = |grants: Vec<Grant>| Caller {
            subject: "u".into(),
            name: "u".into(),
            grants,
        };
        for one in &all {
            for other in &all {
                let left = caller(narrowed(std::slice::from_ref(one), other));
                let (first, second) = (caller(vec![one.clone()]), caller(vec![other.clone()]));
                for permission in Permission::ALL {
                    for place in [
                        (None, None),
                        (Some("a"), None),
                        (Some("a"), Some("x")),
                        (Some("a"), Some("y")),
                        (Some("b"), Some("y")),
                    ] {
                        let may = |who: &Caller| who.may(*permission, place.0, place.1);
                        assert_eq!(
                            may(&left),
                            may(&first) && may(&second),
                            "{one:?} {other:?} {permission} {place:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_may_be_read_is_told() {
        let caller = Caller {
            subject: "u".into(),
            name: "u".into(),
            grants: vec![grant(Role::ProjectOwner, Some("shop"), Some("test"))],
        };
        let change = |topic, project: Option<&str>, environment: Option<&str>| Change {
            cursor: String::new(),
            topic,
            project: project.map(Into::into),
            environment: environment.map(Into::into),
            service: None,
            cluster: None,
            id: None,
            at: platform::time::now(),
        };
        assert!(may_see(
            &caller,
            &change(Topic::Services, Some("shop"), Some("test"))
        ));
        assert!(!may_see(
            &caller,
            &change(Topic::Services, Some("shop"), Some("production"))
        ));
        assert!(may_see(&caller, &change(Topic::Projects, Some("shop"), None)));
        assert!(!may_see(&caller, &change(Topic::Projects, Some("bank"), None)));
        assert!(may_see(&caller, &change(Topic::Clusters, None, None)));
        assert!(may_see(
            &caller,
            &change(Topic::Audit, Some("shop"), Some("test"))
        ));
        assert!(!may_see(&caller, &change(Topic::Audit, None, None)));
    }
}
