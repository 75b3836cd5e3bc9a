//! Tables for people.

/// Columns padded to their widest cell, two spaces apart; rows shorter than the head are padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_align_and_lines_end_with_their_last_word() {
        let rows = [vec!["AST-1".to_owned(), "new".to_owned()], vec!["A".to_owned(), String::new()]];
        assert_eq!(super::table(&["id", "what"], &rows), "id     what\nAST-1  new\nA\n");
    }
}
