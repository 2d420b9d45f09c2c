//! Work that ends: jobs, and jobs by the clock.

use k8s_openapi::api::batch::v1 as api;

use super::typed::typed;
use super::{Kind, columns, defaults, schema, status, validate};
use crate::controllers;
use crate::registry::admission;

const BATCH: Kind = Kind {
    group: "batch",
    categories: &["all"],
    generation: true,
    ..Kind::BASE
};

pub static JOB: Kind = Kind {
    id: 19,
    name: "Job",
    plural: "jobs",
    singular: "job",
    subresources: &[status("Job")],
    selectable: &["status.successful"],
    schema: &schema::WORKLOAD,
    zero: r#"{"metadata":{},"spec":{"template":{"metadata":{},"spec":{"containers":null}}},"status":{}}"#,
    typed: typed::<api::Job>,
    defaults: defaults::job,
    validate: validate::job,
    admit: admission::job,
    reconcile: Some(controllers::job::reconcile),
    columns: columns::JOB,
    ..BATCH
};

pub static CRON_JOB: Kind = Kind {
    id: 20,
    name: "CronJob",
    plural: "cronjobs",
    singular: "cronjob",
    short_names: &["cj"],
    subresources: &[status("CronJob")],
    schema: &schema::CRON_JOB,
    zero: r#"{"metadata":{},"spec":{"schedule":"","jobTemplate":{"metadata":{},"spec":{"template":{"metadata":{},"spec":{"containers":null}}}}},"status":{}}"#,
    typed: typed::<api::CronJob>,
    defaults: defaults::cron_job,
    validate: validate::cron_job,
    reconcile: Some(controllers::cron_job::reconcile),
    columns: columns::CRON_JOB,
    ..BATCH
};
