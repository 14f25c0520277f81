//! Generated expressions over generated worlds: we agree with the interpreter of the `cel` crate, and what is not read only ever makes an
//! answer unknown.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{Container, Masked, PODS, Pod, World, schema};
use crate::expr::analyse::{self, Answer};
use crate::expr::{Fuel, Truth, compile};
use crate::unknown::UnknownReason;

/// Writes well-typed expressions, led by bytes: none left means the simplest, which is what shrinking wants.
struct Writer<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// Whether a pod, and a container of it, is in sight.
    in_pod: bool,
    in_container: bool,
}

impl<'a> Writer<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            in_pod: false,
            in_container: false,
        }
    }

    fn pick(&mut self, among: u8) -> u8 {
        self.bytes.next().map_or(0, |byte| byte % among)
    }

    fn condition(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.fact();
        }
        match self.pick(16) {
            0..=2 => self.fact(),
            3 | 4 => format!("({} && {})", self.condition(depth - 1), self.condition(depth - 1)),
            5 | 6 => format!("({} || {})", self.condition(depth - 1), self.condition(depth - 1)),
            7 => format!("!({})", self.condition(depth - 1)),
            8 => format!(
                "({} ? {} : {})",
                self.condition(depth - 1),
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            9 => format!("{} {} {}", self.int(depth - 1), self.op(), self.int(depth - 1)),
            10 => format!("{} {} {}", self.double(depth - 1), self.op(), self.int(depth - 1)),
            11 => format!("{} {} {}", self.text(), ["==", "!="][usize::from(self.pick(2))], self.text()),
            12 => format!("{} in [{}, {}]", self.int(depth - 1), self.int(0), self.int(0)),
            13 => {
                let lists = if self.in_container { 2 } else { 3 };
                format!(
                    "{} in {}",
                    self.text(),
                    ["tags", "labels", "pods.map(q, q.name)"][usize::from(self.pick(lists))]
                )
            }
            _ => self.quantifier(depth),
        }
    }

    fn quantifier(&mut self, depth: u8) -> String {
        let kind = ["all", "exists", "exists_one"][usize::from(self.pick(3))];
        if self.in_container {
            return self.fact();
        }
        if self.in_pod {
            self.in_container = true;
            let body = self.condition(depth - 1);
            self.in_container = false;
            return format!("p.containers.{kind}(c, {body})");
        }
        self.in_pod = true;
        let filter = if self.pick(3) == 2 {
            format!(".filter(p, {})", self.condition(depth - 1))
        } else {
            String::new()
        };
        let body = self.condition(depth - 1);
        self.in_pod = false;
        format!("pods{filter}.{kind}(p, {body})")
    }

    fn fact(&mut self) -> String {
        let mut facts = vec![
            "healthy",
            "true",
            "false",
            "has(labels.tier)",
            r#"phase.startsWith("st")"#,
            r#"phase.contains("a")"#,
            "size(pods) > 1",
        ];
        if self.in_pod {
            facts.extend([
                "p.ready",
                "has(p.node)",
                "p.restarts > 3",
                r#"p.node == "worker-1""#,
                "size(p.containers) == 1",
            ]);
        }
        if self.in_container {
            facts.extend(["c.size > 1.0", r#"c.name.endsWith("p")"#]);
        }
        let at = self.pick(u8::try_from(facts.len()).expect("few"));
        facts[usize::from(at)].to_owned()
    }

    fn op(&mut self) -> &'static str {
        ["==", "!=", "<", "<=", ">", ">="][usize::from(self.pick(6))]
    }

    fn int(&mut self, depth: u8) -> String {
        let op = ["+", "-", "*", "/", "%"][usize::from(self.pick(5))];
        match self.pick(if depth == 0 { 5 } else { 8 }) {
            0 => "replicas".to_owned(),
            1 => "0".to_owned(),
            2 => "3".to_owned(),
            3 if self.in_pod => "p.restarts".to_owned(),
            3 => "size(tags)".to_owned(),
            4 => "9223372036854775807".to_owned(),
            5 => format!("({} ? {} : {})", self.condition(0), self.int(0), self.int(0)),
            _ => format!("({} {op} {})", self.int(depth - 1), self.int(depth - 1)),
        }
    }

    fn double(&mut self, depth: u8) -> String {
        match self.pick(if depth == 0 { 3 } else { 5 }) {
            0 => "load".to_owned(),
            1 => "1.5".to_owned(),
            2 if self.in_container => "c.size".to_owned(),
            2 => "2.0".to_owned(),
            3 => format!("({} + {})", self.double(depth - 1), self.double(depth - 1)),
            // Never by zero: there we are stricter than the specification, which has infinities.
            _ => format!("({} / 4.0)", self.double(depth - 1)),
        }
    }

    fn text(&mut self) -> String {
        match self.pick(6) {
            0 => "phase".to_owned(),
            1 => r#""gold""#.to_owned(),
            2 => r#"labels["tier"]"#.to_owned(),
            3 => "labels.rank".to_owned(),
            4 if self.in_pod => "p.node".to_owned(),
            _ => "tags[0]".to_owned(),
        }
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["gold", "started", "a", "web", "app", "worker-1"]).prop_map(str::to_owned)
}

prop_compose! {
    fn pods()(name in texts(), ready: bool, restarts in 0..6_i64, node in prop::option::of(texts()), sizes in prop::collection::vec(0..3_u8, 0..3)) -> Pod {
        let containers = sizes.into_iter().map(|size| Container { name: "app".to_owned(), size: f64::from(size), ports: Vec::new() });
        Pod { name, ready, restarts, node, containers: containers.collect() }
    }
}

prop_compose! {
    fn worlds()(
        healthy: bool,
        replicas in 0..4_i64,
        load in 0..4_u8,
        phase in texts(),
        tier in prop::option::of(texts()),
        tags in prop::collection::vec(texts(), 0..3),
        pods in prop::collection::vec(pods(), 0..4),
    ) -> World {
        let labels: BTreeMap<String, String> = tier.map(|tier| ("tier".to_owned(), tier)).into_iter().collect();
        World { healthy, replicas, load: f64::from(load) / 2.0, phase, labels, tags, pods }
    }
}

fn ours(document: &dyn crate::expr::Document, text: &str) -> Truth {
    let expr = compile(&schema(), text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    expr.eval(document, &mut Fuel::steps(u32::MAX))
}

/// What the interpreter of the `cel` crate says of the same, `None` for an error.
fn theirs(world: &World, text: &str) -> Option<bool> {
    let map = |entries: Vec<(&str, cel::Value)>| {
        let entries: std::collections::HashMap<String, cel::Value> =
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        cel::Value::from(entries)
    };
    let text_value = |text: &str| cel::Value::from(text.to_owned());
    let pods: Vec<cel::Value> = world
        .pods
        .iter()
        .map(|pod| {
            let containers: Vec<cel::Value> = pod
                .containers
                .iter()
                .map(|it| map(vec![("name", text_value(&it.name)), ("size", it.size.into())]))
                .collect();
            let mut entries = vec![
                ("name", text_value(&pod.name)),
                ("ready", pod.ready.into()),
                ("restarts", pod.restarts.into()),
                ("containers", containers.into()),
            ];
            entries.extend(pod.node.as_deref().map(|node| ("node", text_value(node))));
            map(entries)
        })
        .collect();
    let mut context = cel::Context::default();
    let labels = world.labels.iter().map(|(key, value)| (key.as_str(), text_value(value))).collect();
    let tags: Vec<cel::Value> = world.tags.iter().map(|tag| text_value(tag)).collect();
    context.add_variable_from_value("healthy", world.healthy);
    context.add_variable_from_value("replicas", world.replicas);
    context.add_variable_from_value("load", world.load);
    context.add_variable_from_value("phase", text_value(&world.phase));
    context.add_variable_from_value("labels", map(labels));
    context.add_variable_from_value("tags", cel::Value::from(tags));
    context.add_variable_from_value("pods", cel::Value::from(pods));
    match cel::Program::compile(text).expect("what we compile").execute(&context) {
        Ok(cel::Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{text}: {other:?}"),
        Err(_) => None,
    }
}

/// Runs a property on a thread whose stack the borrowed parser cannot spend.
fn with_stack(property: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(property).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(600)
    }
}

#[test]
fn we_agree_with_the_interpreter_of_the_cel_crate() {
    with_stack(|| {
        let known = std::cell::Cell::new(0_u32);
        proptest!(config(), |(world in worlds(), bytes in prop::collection::vec(any::<u8>(), 0..60))| {
            let text = Writer::new(&bytes).condition(4);
            let (ours, theirs) = (ours(&world, &text), theirs(&world, &text));
            match (ours, theirs) {
                (Ok(ours), Some(theirs)) => {
                    known.set(known.get() + 1);
                    prop_assert_eq!(ours, theirs, "{}", text);
                }
                (Err(_), None) => {}
                (Err(reason), Some(theirs)) => prop_assert!(false, "{}: {} and {}", text, reason, theirs),
                // An error in a filtered list, in a list of values and in `exists_one` is the end for them. What the rest of the list
                // decides is decided.
                (Ok(_), None) => prop_assert!(["filter", ".map", "exists_one"].iter().any(|it| text.contains(it)), "{}", text),
            }
        });
        assert!(known.get() > 300, "too few expressions had an answer: {}", known.get());
    });
}

#[test]
fn what_is_not_read_only_makes_an_answer_unknown() {
    with_stack(|| {
        let lost = std::cell::Cell::new(0_u32);
        proptest!(config(), |(
            world in worlds(),
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            hidden in prop::collection::vec(0..=PODS, 1..4),
            pods in 0..3_usize,
            reason in prop::sample::select(UnknownReason::ALL.to_vec()),
        )| {
            let text = Writer::new(&bytes).condition(4);
            let whole = ours(&world, &text);
            for document in [Masked::all_of(&world, hidden, reason), Masked::partly(&world, pods, reason)] {
                let less = ours(&document, &text);
                prop_assert!(less == whole || less.is_err(), "{}: {:?} became {:?}", text, whole, less);
                if whole.is_err() {
                    prop_assert!(less.is_err(), "{}: {:?} became {:?}", text, whole, less);
                }
                lost.set(lost.get() + u32::from(whole.is_ok() && less.is_err()));
            }
        });
        assert!(lost.get() > 50, "too few answers were lost: {}", lost.get());
    });
}

#[test]
fn a_proof_holds_in_every_world() {
    with_stack(|| {
        let proofs = std::cell::Cell::new(0_usize);
        proptest!(config(), |(
            worlds in prop::collection::vec(worlds(), 6),
            bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 3),
            hidden in prop::collection::vec(0..=PODS, 0..2),
        )| {
            let texts: Vec<String> = bytes.iter().map(|bytes| Writer::new(bytes).condition(2)).collect();
            let exprs: Vec<_> = texts.iter().map(|text| compile(&schema(), text).expect("well-typed")).collect();
            let never = analyse::never_true(&[&exprs[0], &exprs[1]]);
            let always = analyse::always_true(&[&exprs[0]]);
            let covered = analyse::covered_by(&[&exprs[0]], &[vec![&exprs[1]], vec![&exprs[2]]]);
            proofs.set(proofs.get() + [never, always, covered].iter().filter(|answer| **answer == Answer::Yes).count());
            for world in &worlds {
                let document = Masked::all_of(world, hidden.clone(), UnknownReason::Timeout);
                let truths: Vec<Truth> = exprs.iter().map(|expr| expr.eval(&document, &mut Fuel::steps(u32::MAX))).collect();
                prop_assert!(never != Answer::Yes || truths[..2] != [Ok(true), Ok(true)], "never: {:?}", texts);
                prop_assert!(always != Answer::Yes || truths[0] != Ok(false), "always: {:?}", texts);
                prop_assert!(covered != Answer::Yes || truths[0] != Ok(true) || truths[1..].contains(&Ok(true)), "covered: {:?}", texts);
            }
        });
        assert!(proofs.get() > 50, "too few proofs: {}", proofs.get());
    });
}
