//! What one replica asks for and may use.

use api_types::spec::Resources;

use crate::app::quantity::{parse_cpu, parse_memory};
use crate::app::validation::Fields;

/// Kubernetes keeps no CPU finer than this; memory below a few MiB runs nothing.
const LEAST_MEMORY: u64 = 4 << 20;

/// No node has as many.
const MOST_GPUS: u32 = 64;

pub fn check(resources: &Resources, fields: &mut Fields) {
    pair(
        fields,
        "cpu",
        (&resources.cpu_request, &resources.cpu_limit),
        parse_cpu,
        1,
    );
    pair(
        fields,
        "memory",
        (&resources.memory_request, &resources.memory_limit),
        parse_memory,
        LEAST_MEMORY,
    );
    gpus(resources, fields);
}

pub fn gpus(resources: &Resources, fields: &mut Fields) {
    if resources.gpus > MOST_GPUS {
        fields.refuse(
            "resources.gpus",
            format!("must be at most {MOST_GPUS} for one replica"),
        );
    }
}

fn pair(
    fields: &mut Fields,
    what: &str,
    (request, limit): (&str, &str),
    parse: fn(&str) -> Result<u64, String>,
    least: u64,
) {
    let request_field = format!("resources.{what}_request");
    let asked = fields.check(request_field.clone(), parse(request));
    let bound = fields.check(format!("resources.{what}_limit"), parse(limit));
    if let Some(asked) = asked
        && asked < least
    {
        fields.refuse(
            request_field.clone(),
            if what == "memory" {
                "must be at least 4Mi"
            } else {
                "must be more than nothing"
            },
        );
    }
    if let (Some(asked), Some(bound)) = (asked, bound)
        && asked > bound
    {
        fields.refuse(
            request_field,
            format!("asks for {request}, more than the limit of {limit} lets it use"),
        );
    }
}
