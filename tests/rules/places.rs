//! Where a thing is decided: the table of ARCHITECTURE.md whose head is "where is decided".

use std::fs;

use crate::sources::{names, project, table};

#[test]
fn what_the_table_names_is_there() {
    let rows = table("where is decided …");
    assert!(rows.len() >= 14, "a question has been lost: {}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let [question, file, by] = &row[..] else {
            panic!("a row has three cells: {row:?}");
        };
        let (file, by) = (names(file).concat(), names(by).concat());
        match fs::read_to_string(project().join(&file)) {
            Ok(text) if by.is_empty() || !text.contains(&by) => {
                wrong.push(format!("{question}: there is no `{by}` in {file}"));
            }
            Ok(_) => {}
            Err(error) => wrong.push(format!("{question}: {file}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
