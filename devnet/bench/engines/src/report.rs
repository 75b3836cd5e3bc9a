//! The table.

use crate::run::Figures;

type Row = (&'static str, fn(&Figures) -> String);

const ROWS: [Row; 19] = [
    ("block commit, median ms", |f| format!("{:.1}", f.commit_median)),
    ("block commit, p95 ms", |f| format!("{:.1}", f.commit_p95)),
    ("block commit, max ms", |f| format!("{:.1}", f.commit_max)),
    ("trie batch, median ms", |f| format!("{:.0}", f.trie_median)),
    ("trie batch, max ms", |f| format!("{:.0}", f.trie_max)),
    ("wall per block, reads included, ms", |f| format!("{:.1}", f.wall_per_block)),
    ("CPU per block, ms", |f| format!("{:.1}", f.cpu_per_block)),
    ("written per block, KiB", |f| format!("{:.0}", f.written_kb_per_block)),
    ("point read, µs", |f| format!("{:.2}", f.read_us)),
    ("history seek, µs", |f| format!("{:.1}", f.seek_us)),
    ("preload, s", |f| format!("{:.1}", f.preload_s)),
    ("settling after the last block, s", |f| format!("{:.0}", f.settle_s)),
    ("disk after, MiB", |f| f.disk_mb.to_string()),
    ("memory of its own, MiB", |f| f.rss_anon_mb.to_string()),
    ("mapped file memory, MiB", |f| f.rss_file_mb.to_string()),
    ("peak memory, MiB", |f| f.rss_peak_mb.to_string()),
    ("open after SIGKILL, ms", |f| format!("{:.1}", f.reopen_ms)),
    ("refuses a second process", |f| if f.refuses_second { "yes" } else { "no" }.into()),
    ("blocks", |f| f.blocks.to_string()),
];

/// Prints one column per engine, as Markdown.
pub(crate) fn print_table(all: &[Figures]) {
    let names: Vec<&str> = all.iter().map(|f| f.engine.as_str()).collect();
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(all.len()));
    for (label, show) in ROWS {
        let cells: Vec<String> = all.iter().map(show).collect();
        println!("| {label} | {} |", cells.join(" | "));
    }
    for figures in all.iter().filter(|f| !f.note.is_empty()) {
        println!("\n{}: {}", figures.engine, figures.note);
    }
}
