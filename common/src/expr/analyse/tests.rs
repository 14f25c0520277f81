use super::Answer::{No, Undecided, Yes};
use super::*;
use crate::expr::{Schema, Type, Variable, compile};

fn schema() -> Schema {
    let bools = ('a'..='z').map(|name| Variable {
        name: name.to_string().into(),
        ty: Type::Bool,
        doc: "".into(),
    });
    bools
        .chain([
            Variable::fixed("cpu", Type::Double, ""),
            Variable::fixed("count", Type::Int, ""),
            Variable::fixed("state", Type::Text, ""),
        ])
        .collect()
}

fn exprs(texts: &[&str]) -> Vec<Expr> {
    texts.iter().map(|text| compile(&schema(), text).expect(text)).collect()
}

fn never(texts: &[&str]) -> Answer {
    never_true(&exprs(texts).iter().collect::<Vec<_>>())
}

fn always(texts: &[&str]) -> Answer {
    always_true(&exprs(texts).iter().collect::<Vec<_>>())
}

fn covered(class: &[&str], earlier: &[&[&str]]) -> Answer {
    let class = exprs(class);
    let earlier: Vec<Vec<Expr>> = earlier.iter().map(|texts| exprs(texts)).collect();
    let earlier: Vec<Vec<&Expr>> = earlier.iter().map(|exprs| exprs.iter().collect()).collect();
    covered_by(&class.iter().collect::<Vec<_>>(), &earlier)
}

#[test]
fn finds_contradictions() {
    for texts in [
        &["a == true", "a == false"][..],
        &["a", "!a"],
        &["a == true && a != true"],
        &["cpu > 5", "cpu <= 5"],
        &["cpu >= 5", "cpu < 5"],
        &["cpu == 3", "cpu > 3"],
        &["cpu > 3", "5 > cpu", "cpu < 2.5 || cpu > 6"],
        &["state == \"x\"", "state == \"y\""],
        &["state in [\"x\", \"y\"]", "state != \"x\"", "state != \"y\""],
        &["a || b", "!a", "!b"],
        &["(a ? b : c) && !b && !c"],
        &["false"],
    ] {
        assert_eq!(never(texts), Yes, "{texts:?}");
    }
    for texts in [
        &["a == true", "a != false"][..],
        &["cpu > 5", "cpu < 5.0000001"],
        &["cpu > 5", "cpu < 6"],
        &["cpu != 3", "cpu != 4"],
        &["cpu >= 5", "cpu <= 5"],
        &["state != \"x\"", "state != \"y\""],
        &["state.contains(\"x\")", "!state.contains(\"x\")", "a"],
    ] {
        let opaque = texts[0].contains("contains");
        assert_eq!(never(texts), if opaque { Yes } else { No }, "{texts:?}");
    }
}

#[test]
fn finds_conditions_that_say_nothing() {
    for texts in [
        &["a || !a"][..],
        &["cpu < 5 || cpu >= 5"],
        &["true"],
        &["state != \"x\" || state != \"y\""],
    ] {
        assert_eq!(always(texts), Yes, "{texts:?}");
    }
    for texts in [&["a"][..], &["cpu < 5 || cpu > 5"], &["a || !a", "b"]] {
        assert_eq!(always(texts), No, "{texts:?}");
    }
}

#[test]
fn finds_what_is_hidden_by_several_together() {
    assert_eq!(covered(&["a", "b"], &[&["a"]]), Yes);
    assert_eq!(covered(&["a"], &[&["a", "b"]]), No);
    assert_eq!(covered(&["a", "b || c"], &[&["a", "b"], &["a", "c"]]), Yes, "the union of both");
    assert_eq!(covered(&["a", "b || c"], &[&["a", "b"]]), No);
    assert_eq!(covered(&["cpu > 10"], &[&["cpu > 80"], &["cpu <= 80"]]), Yes);
    assert_eq!(covered(&["cpu >= 90"], &[&["cpu >= 80"]]), Yes);
    assert_eq!(covered(&["cpu >= 70"], &[&["cpu >= 80"]]), No);
    assert_eq!(covered(&["b"], &[&["a"], &["!a"]]), No, "while `a` is unknown neither holds");
    assert_eq!(covered(&["b", "a || !a"], &[&["a"], &["!a"]]), Yes);
    assert_eq!(covered(&["state == \"x\""], &[&["state != \"y\""]]), Yes);
    assert_eq!(covered(&["a"], &[]), No);
}

#[test]
fn is_quick_where_an_example_is_near_and_gives_up_where_there_is_too_much() {
    let hidden = |last: char| {
        let letters: Vec<String> = ('b'..=last).map(String::from).collect();
        let pairs: Vec<[&str; 2]> = letters.iter().map(|letter| ["a", letter.as_str()]).collect();
        let earlier: Vec<&[&str]> = pairs.iter().map(|pair| pair.as_slice()).collect();
        (covered(&["a"], &earlier), covered(&["a", &letters.join(" || ")], &earlier))
    };
    assert_eq!(hidden('k'), (No, Yes));
    assert_eq!(hidden('z'), (No, Undecided));
}
