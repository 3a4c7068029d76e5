//! Logs, and traces if a collector is configured.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::{env, fmt};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, FilterFn, Targets};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// The standard variables that name the collector; without them, no traces are sent.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// The libraries that carry requests and answers.
const TRANSPORT: [&str; 8] = [
    "h2",
    "hyper",
    "hyper_util",
    "kube_client",
    "reqwest",
    "rustls",
    "tower",
    "tower_http",
];

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line: `timestamp`, `level`, `target`, `message`, and during a reconcile `controller`, `namespace`,
    /// `name`, `reconcile_id`, and `trace_id` where traces are collected.
    Json,
}

/// The exporter of traces, which are sent in batches.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Begins to log, at the levels that `RUST_LOG` names, and to send traces if `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
    pub fn begin(format: LogFormat, instance: &str) -> anyhow::Result<Self> {
        let traces = collector().then(|| provider(instance)).transpose()?;
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        // Only our own spans: those of the HTTP library would duplicate them.
        let spans = traces.as_ref().map(|provider| {
            let spans = tracing_opentelemetry::layer();
            let spans = spans.with_tracer(provider.tracer(env!("CARGO_PKG_NAME")));
            spans.with_filter(Targets::new().with_target("aep_operator", Level::INFO))
        });
        let filter = filter.and(FilterFn::new(may_be_logged));
        tracing_subscriber::registry()
            .with(lines(format).with_filter(filter))
            .with(spans)
            .init();
        panic::set_hook(Box::new(log_panic));
        Ok(Self(traces))
    }

    /// Sends the spans that are left.
    pub fn end(self) {
        // The process ends: an unreachable collector is not worth an error.
        let _ = self.0.map(|provider| provider.shutdown());
    }
}

/// Whether what a library logs there holds no contents of requests and answers, whatever `RUST_LOG` says: they may hold secrets.
/// kube's client logs each answer that it cannot read; the HTTP libraries at the finest level log what they send and receive.
fn may_be_logged(event: &Metadata<'_>) -> bool {
    let is_below = |module: &str| {
        let rest = event.target().strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let is_client = is_below("kube_client::client");
    let is_coarse = *event.level() < Level::TRACE;
    !is_client && (is_coarse || !TRANSPORT.iter().any(|it| is_below(it)))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let location = location.as_deref().unwrap_or_default();
    tracing::error!(location, "panicked: {}", reason(panic.payload()));
}

/// What a panic says, if it was written in the source: a message that was made at run time may quote a secret.
fn reason(payload: &dyn Any) -> &'static str {
    let literal = payload.downcast_ref::<&'static str>();
    literal.copied().unwrap_or("see the source for the reason")
}

fn collector() -> bool {
    let named = ENDPOINTS.iter().filter_map(|name| env::var(name).ok());
    named.into_iter().any(|it| !it.is_empty())
}

fn provider(instance: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .build()?;
    // `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` are read, too, and the latter wins.
    let resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance.to_owned()),
    ]);
    let resource = match env::var("OTEL_SERVICE_NAME") {
        Ok(_) => resource.build(),
        Err(_) => resource.with_service_name(env!("CARGO_PKG_NAME")).build(),
    };
    let traces = SdkTracerProvider::builder().with_batch_exporter(exporter);
    Ok(traces.with_resource(resource).build())
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    if format == LogFormat::Text {
        return tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .boxed();
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    lines
        .fmt_fields(JsonFields::new())
        .event_format(Lines)
        .boxed()
}

/// One JSON object per event. The fields of its spans are on the same level as its own, so that a log query finds them all
/// by one name.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            let fields = fields.and_then(|it| serde_json::from_str::<Map<_, _>>(&it.fields).ok());
            line.extend(fields.into_iter().flatten());
        }
        line.retain(|name, _| !name.starts_with("otel."));
        event.record(&mut Fields(&mut line));
        let meta = event.metadata();
        let now = jiff::Timestamp::now();
        line.insert("timestamp".into(), format!("{now:.6}").into());
        line.insert("level".into(), meta.level().as_str().into());
        line.insert("target".into(), meta.target().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Collects the fields of an event.
struct Fields<'l>(&'l mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().into(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::filter::LevelFilter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_tells_no_value() {
        let secret = String::from("canary-\u{e9}");
        let cut = secret.len() - 1;
        let failed: Result<(), _> = Err(secret.clone());
        let panics: [Box<dyn Fn() + panic::RefUnwindSafe + panic::UnwindSafe>; 3] = [
            Box::new(move || drop(secret[..cut].to_owned())),
            Box::new(move || failed.clone().unwrap()),
            Box::new(|| panic!("a literal")),
        ];
        let said = panics.map(|it| reason(&*panic::catch_unwind(it).unwrap_err()));
        let hidden = "see the source for the reason";
        assert_eq!(said, [hidden, hidden, "a literal"]);
    }

    #[test]
    fn contents_of_answers_are_not_logged_at_any_level() {
        let lines = Lines::default();
        let sink = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || sink.clone());
        let filter = LevelFilter::TRACE.and(FilterFn::new(may_be_logged));
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "kube_client::client", "canary");
            tracing::warn!(target: "kube_client::client::builder", "canary");
            tracing::trace!(target: "hyper::proto::h1::io", "canary");
            tracing::trace!(target: "reqwest::connect", "canary");
            tracing::debug!(target: "hyper_util::client", "told");
            tracing::trace!(target: "kube_clients", "told");
            tracing::trace!(target: "aep_operator::engine", "told");
        });
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(lines.matches("told").count(), 3, "{lines}");
        assert!(!lines.contains("canary"), "{lines}");
    }
}
