//! Words that others chose: names of lanes, symbols of tokens, files. Upholds [PAG-3].

/// Characters of a name that are shown.
const MOST: usize = 80;

/// A text as it may be shown: short, on one line, in its own order. What would turn or hide other text is replaced; that it is never
/// taken for markup is the page's business, which sets text only.
pub fn shown(text: &str) -> String {
    shown_to(text, MOST)
}

/// As [`shown`], of so many characters: for reasons, which are longer than names.
pub fn shown_to(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// Neither a control nor one of Unicode's invisible marks of direction and joining.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pag_3_hostile_names_are_shown_as_they_are_but_cannot_turn_or_hide_what_is_beside_them() {
        assert_eq!(shown("AST-9005"), "AST-9005");
        assert_eq!(shown("<img src=x onerror=alert(1)>"), "<img src=x onerror=alert(1)>");
        assert_eq!(shown("paid\u{202e}000,1\u{202c}"), "paid\u{fffd}000,1\u{fffd}");
        assert_eq!(shown("two\nlines\u{0}"), "two\u{fffd}lines\u{fffd}");
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shown(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
