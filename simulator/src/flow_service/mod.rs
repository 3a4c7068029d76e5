//! Flow Service: connections, what is read, where it is written, flows and their runs.

mod connection_specs;
mod connections;
mod ends;
mod entity;
mod explore;
mod filter;
mod flow_rules;
mod flow_specs;
mod flows;
mod operations;
mod page;
mod patch;
mod problem;
mod references;
mod run_shape;
mod runs;

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};
pub(crate) use entity::touch;
pub(crate) use operations::settle;
pub(crate) use problem::Problem;
pub use run_shape::RunOutcome;
pub(crate) use run_shape::finish as finish_run;
pub(crate) use runs::start as start_run;

type Outcome = Result<Answer, Problem>;

/// Answers one request to Flow Service.
pub fn answer(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Answer {
    settle(sandbox, cx.now_ms, cx.ids);
    route(request, sandbox, cx).unwrap_or_else(|problem| problem.answer(request))
}

fn route(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    let segments = request.segments();
    let Some((resource, rest)) = segments.split_first() else {
        return Ok(Answer::html_not_found());
    };
    match *resource {
        "connections" => connections::answer(request, rest, sandbox, cx),
        "sourceConnections" => ends::answer(request, ends::SOURCES, rest, sandbox, cx),
        "targetConnections" => ends::answer(request, ends::TARGETS, rest, sandbox, cx),
        "flows" => flows::answer(request, rest, sandbox, cx),
        "runs" => runs::answer(request, rest, sandbox, cx),
        "connectionSpecs" => connection_specs::answer(request, rest, cx),
        "flowSpecs" => flow_specs::answer(request, rest, cx),
        _ => Ok(Answer::html_not_found()),
    }
}
