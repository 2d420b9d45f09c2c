//! Who may do what.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::api::{Api, ListParams, PostParams};
use sandbox::AccessRule;
use serde_json::json;

use crate::support::{Stage, client, deployment, eventually};

fn code(error: kube::Error) -> (u16, String) {
    match error {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_limited_user_may_do_what_the_rules_say() {
    let stage = Stage::new().await;
    let rules = [
        AccessRule {
            group: "",
            resources: &["configmaps"],
            verbs: &["get", "list"],
        },
        AccessRule {
            group: "authorization.k8s.io",
            resources: &["*"],
            verbs: &["create"],
        },
    ];
    let limited = client(&stage.cluster().limited_kubeconfig("reader", &rules).unwrap()).await;
    let maps: Api<ConfigMap> = Api::namespaced(limited.clone(), "default");
    maps.list(&ListParams::default()).await.unwrap();
    let deployments: Api<Deployment> = Api::namespaced(limited.clone(), "default");
    let refused = deployments
        .create(&PostParams::default(), &deployment("web", "web:1", 1))
        .await
        .unwrap_err();
    assert_eq!(
        code(refused),
        (
            403,
            "deployments.apps is forbidden: User \"reader\" cannot create resource \"deployments\" in API group \"apps\" in the namespace \"default\""
                .to_owned()
        )
    );
    let review = |verb: &str| {
        let review = json!({"spec": {"resourceAttributes": {"namespace": "default", "verb": verb, "resource": "configmaps"}}});
        serde_json::from_value::<SelfSubjectAccessReview>(review).unwrap()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(limited);
    for (verb, allowed) in [("list", true), ("delete", false)] {
        let answer = reviews
            .create(&PostParams::default(), &review(verb))
            .await
            .unwrap();
        assert_eq!(answer.status.unwrap().allowed, allowed, "{verb}");
    }
}

#[tokio::test]
async fn tokens_are_as_good_as_their_accounts() {
    let stage = Stage::new().await;
    let by_token = client(&stage.cluster().token_kubeconfig()).await;
    Api::<ConfigMap>::all(by_token)
        .list(&ListParams::default())
        .await
        .unwrap();

    let accounts: Api<ServiceAccount> = Api::namespaced(stage.client.clone(), "default");
    let request = TokenRequest::default();
    let granted = eventually(|| async {
        accounts
            .create_token_request("default", &PostParams::default(), &request)
            .await
    })
    .await;
    let token = granted.status.unwrap().token;
    let kubeconfig = stage.cluster().token_kubeconfig();
    let (head, _) = kubeconfig.split_once("token: ").unwrap();
    let tail = kubeconfig.split_once("contexts:").unwrap().1;
    let with = |token: &str| format!("{head}token: {token}\ncontexts:{tail}");
    let account: Api<ConfigMap> = Api::namespaced(client(&with(&token)).await, "default");
    let (status, message) = code(account.list(&ListParams::default()).await.unwrap_err());
    assert_eq!(status, 403);
    assert!(
        message.contains("system:serviceaccount:default:default"),
        "{message}"
    );
    let forged: Api<ConfigMap> = Api::namespaced(client(&with(&format!("{token}x"))).await, "default");
    assert_eq!(
        code(forged.list(&ListParams::default()).await.unwrap_err()).0,
        401
    );
}
