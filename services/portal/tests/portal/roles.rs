//! Every operation of the document with every role.

use api_types::access::{Grant, Role};
use auth::permission::{ROLES, role_holds, within_project};
use portal::app::permission::Access;
use portal::app::routes::{Operation, RouteTable};
use portal::{api::own_document, app::document::Documents};
use reqwest::Method;
use serde_json::json;
use test_support::Backend;

use crate::stage::{Caller, Stage, refusal};

/// Where a role is held, seen from the calls: they are about `shop/test`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Everywhere,
    ThisProject,
    ThisEnvironment,
    OtherEnvironment,
    OtherProject,
}

const PLACES: &[Place] = &[
    Place::Everywhere,
    Place::ThisProject,
    Place::ThisEnvironment,
    Place::OtherEnvironment,
    Place::OtherProject,
];

impl Place {
    fn names(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Everywhere => (None, None),
            Self::ThisProject => (Some("shop"), None),
            Self::ThisEnvironment => (Some("shop"), Some("test")),
            Self::OtherEnvironment => (Some("shop"), Some("production")),
            Self::OtherProject => (Some("bank"), None),
        }
    }
}

/// What must come of a call.
#[derive(Debug, PartialEq)]
enum Expected {
    Passes,
    Forbidden,
    Hidden,
}

/// Written down independently of the code under test: a role passes what it holds where it is held and
/// is told what it lacks; a role elsewhere passes reads that show only what is theirs, and of another
/// project or environment it sees nothing.
fn expected(operation: &Operation, held: Option<(Role, Place)>) -> Expected {
    let Access::Needs(permission) = operation.access else {
        return Expected::Passes;
    };
    let in_project = operation.template.contains("{project}");
    let in_environment = operation.template.contains("{environment}");
    let Some((role, place)) = held else {
        return if in_project {
            Expected::Hidden
        } else {
            Expected::Forbidden
        };
    };
    let reaches = match place {
        Place::Everywhere => true,
        Place::ThisProject => in_project,
        Place::ThisEnvironment => in_environment,
        Place::OtherEnvironment | Place::OtherProject => false,
    };
    let sees = match place {
        Place::Everywhere | Place::ThisProject | Place::ThisEnvironment => true,
        Place::OtherEnvironment => !in_environment,
        Place::OtherProject => !in_project,
    };
    match (sees, role_holds(role, permission)) {
        (false, _) => Expected::Hidden,
        (true, true) if reaches || operation.reads => Expected::Passes,
        (true, _) => Expected::Forbidden,
    }
}

fn operations() -> Vec<Operation> {
    let documents = Documents::new(serde_json::to_value(own_document()).unwrap()).unwrap();
    let table = RouteTable::build(&documents.each()).unwrap();
    table
        .operations()
        .map(|operation| (**operation).clone())
        .collect()
}

/// The operation's path with every parameter filled in.
fn path(operation: &Operation) -> String {
    operation
        .template
        .trim_start_matches("/api/v1")
        .replace("{project}", "shop")
        .replace("{environment}", "test")
        .split('/')
        .map(|part| match part {
            "{user}" => "nobody-of-this-name",
            "{revision}" => "1",
            "{binding}" | "{token}" | "{operation}" | "{session}" | "{lock}" | "{record}" => {
                "00000000-0000-7000-8000-000000000000"
            }
            parameter if parameter.starts_with('{') => "x",
            other => other,
        })
        .collect::<Vec<_>>()
        .join("/")
}

async fn check(stage: &Stage, caller: &Caller, operation: &Operation, expected: &Expected, who: &str) {
    let method = Method::from_bytes(operation.method.as_str().as_bytes()).unwrap();
    let mut request = stage.request(method.clone(), &path(operation));
    if method != Method::GET {
        request = request.json(&json!({}));
    }
    let response = caller.with(request).send().await.unwrap();
    let status = response.status().as_u16();
    let what = format!("{who} calls {} ({method} {})", operation.id, operation.template);
    match expected {
        // The handler itself may refuse the made-up object, but the door was open.
        Expected::Passes => assert_ne!(status, 401, "{what}"),
        Expected::Forbidden => {
            let (status, error) = refusal(response).await;
            assert_eq!((status, error.code.as_str()), (403, "forbidden"), "{what}");
            let Access::Needs(permission) = operation.access else {
                panic!("{what}")
            };
            assert!(
                error.message.contains(permission.name()),
                "{what}: {}",
                error.message
            );
            return;
        }
        Expected::Hidden => {
            let (status, error) = refusal(response).await;
            assert_eq!((status, error.code.as_str()), (404, "not_found"), "{what}");
            return;
        }
    }
    if status == 403 {
        let code = refusal(response).await.1.code;
        // One's own password and tokens have rules of their own, tried elsewhere.
        assert!(operation.access == Access::SignedIn, "{what}: {code}");
    }
}

#[tokio::test]
async fn every_operation_with_every_role() {
    let stage = Stage::new(Backend::Sqlite).await;
    let operations: Vec<Operation> = operations()
        .into_iter()
        // These end or outlive the call that tries them.
        .filter(|operation| {
            // A heartbeat takes the token of a cluster's agent, and no user.
            ![
                "create_session",
                "delete_session",
                "stream_changes",
                "report_heartbeat",
            ]
            .contains(&operation.id.as_str())
        })
        .collect();
    assert!(operations.len() > 50, "{}", operations.len());
    let held = ROLES
        .iter()
        .flat_map(|role| PLACES.iter().map(move |place| (*role, *place)))
        .filter(|(role, place)| *place == Place::Everywhere || within_project(*role))
        .map(Some)
        .chain([None]);
    let mut callers = Vec::new();
    for (number, held) in held.enumerate() {
        let name = format!("user{number}");
        let caller = match held {
            Some((role, place)) => {
                let (project, environment) = place.names();
                stage.user(&name, role, project, environment).await
            }
            None => stage.nobody(&name).await,
        };
        callers.push((held, caller));
    }
    // A project or environment that is deleted takes the roles in it along, and they are needed to the end.
    for path in ["/api/v1/projects/shop", "/api/v1/projects/shop/environments/test"] {
        let error = json!({ "code": "in_use", "message": "it is in use", "request_id": "" });
        stage.cluster_mgr.answer(path, 409, error);
    }
    let mut refused = 0;
    for (held, caller) in callers {
        for operation in &operations {
            let expected = expected(operation, held);
            refused += usize::from(expected != Expected::Passes);
            check(&stage, &caller, operation, &expected, &format!("{held:?}")).await;
        }
    }
    assert!(refused > 400, "{refused}");
}

#[tokio::test]
async fn nothing_but_the_public_is_open_to_strangers() {
    let stage = Stage::new(Backend::Sqlite).await;
    let stranger = Caller {
        cookie: None,
        csrf: None,
        token: None,
    };
    let forged = Caller {
        cookie: Some("longshore_session=forged".into()),
        csrf: Some("forged".into()),
        token: None,
    };
    for operation in operations() {
        if operation.access == Access::Public {
            assert_eq!(operation.id, "create_session");
            continue;
        }
        for caller in [&stranger, &forged, &Caller::token("lsp_forged")] {
            let method = Method::from_bytes(operation.method.as_str().as_bytes()).unwrap();
            let request = stage.request(method, &path(&operation)).json(&json!({}));
            let (status, error) = refusal(caller.with(request).send().await.unwrap()).await;
            assert_eq!(
                (status, error.code.as_str()),
                (401, "not_signed_in"),
                "{}",
                operation.id
            );
        }
    }
    assert!(stage.cluster_mgr.asked().is_empty() && stage.ipaas.asked().is_empty());
}

#[tokio::test]
async fn the_services_learn_who_calls_with_which_roles() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage
            .user("ann", Role::Developer, Some("shop"), Some("test"))
            .await;
        ann.with(stage.get("/services")).send().await.unwrap();
        let asked = stage.cluster_mgr.last();
        assert_eq!(asked.caller.name, "ann");
        assert!(!asked.caller.is_service());
        let grant = Grant {
            role: Role::Developer,
            project: Some("shop".into()),
            environment: Some("test".into()),
        };
        assert_eq!(asked.caller.grants, [grant]);
    }
}
