use super::*;

#[test]
fn counts_brackets_and_words_outside_of_texts_only() {
    for text in [
        r#"phase == "((((((((((((((((((((((((((((((((((((((((((((((""#,
        r#"phase == r"\" && healthy"#,
        r#"phase == '''it's (("fine")''' "#,
        "// ((((((((((((((((((((((((((((((((((((((((((((((((\nhealthy",
        r#""\\" == phase"#,
    ] {
        assert_eq!(check_size(text), Ok(()), "{text}");
    }
    for text in [
        format!(r#""\\"{}"#, "(".repeat(50)),
        format!(r#"r"\"{}"#, "(".repeat(50)),
        format!("// \"\n{}", "(".repeat(50)),
        format!("\"))))))))\"{}", "(".repeat(41)),
        "a ".repeat(MAX_TOKENS + 1),
        "a.".repeat(MAX_TOKENS),
        " ".to_owned(),
    ] {
        assert!(check_size(&text).is_err(), "{text}");
    }
}

#[test]
fn points_to_the_place_of_a_syntax_error() {
    let errors = with_tree("healthy && (\n  load >)", |_| ()).expect_err("an error");
    assert_eq!(errors.len(), 1);
    assert_eq!(&"healthy && (\n  load >)"[errors[0].offset..], ")");
}
