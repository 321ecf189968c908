//! Random values and random filters, from a seed.

#![expect(clippy::expect_used, reason = "a test that cannot choose is wrong")]

use serde_json::Value;

/// A small generator of its own, so that a failure comes back with its seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from.get(self.roll(from.len())).copied().expect("a choice of nothing")
    }

    pub(crate) fn word<'a>(&mut self, from: &'a [String]) -> &'a str {
        from.get(self.roll(from.len())).expect("a choice of nothing")
    }
}

/// Texts that differ where comparisons like to go wrong: case, folding, patterns, quotes, length.
pub(crate) fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "ada", "ADA", "Ada L.", "a%", "a_a", r"a\b", "a\"b", "it's", "straße", "STRASSE", "ΣΑΣ", "σας", "ﬁn", "fin",
        "İ", "i", "张伟", "a b", "x",
    ]
    .map(str::to_owned)
    .to_vec();
    for length in [990, 997, 1_000, 1_001, 1_500] {
        words.push("w".repeat(length));
        words.push(format!("{}é", "w".repeat(length)));
    }
    words
}

/// A random filter over the given comparisons.
pub(crate) fn random_filter(dice: &mut Dice, leaf: &mut dyn FnMut(&mut Dice) -> String) -> String {
    let mut text = String::new();
    write_filter(&mut text, dice, 3, leaf);
    text
}

fn write_filter(text: &mut String, dice: &mut Dice, depth: usize, leaf: &mut dyn FnMut(&mut Dice) -> String) {
    match dice.roll(if depth == 0 { 1 } else { 5 }) {
        0 | 1 => text.push_str(&leaf(dice)),
        2 => {
            text.push_str("not (");
            write_filter(text, dice, depth - 1, leaf);
            text.push(')');
        }
        sides => {
            text.push('(');
            write_filter(text, dice, depth - 1, leaf);
            text.push_str(if sides == 3 { ") and (" } else { ") or (" });
            write_filter(text, dice, depth - 1, leaf);
            text.push(')');
        }
    }
}

/// A random filter without parentheses but those that `not` needs, so that precedence decides what it means.
pub(crate) fn flat_filter(dice: &mut Dice, leaf: &mut dyn FnMut(&mut Dice) -> String) -> String {
    let mut text = String::new();
    for part in 0..=dice.roll(4) {
        if part > 0 {
            text.push_str(dice.pick(&[" and ", " or "]));
        }
        let leaf = leaf(dice);
        let parts = if dice.roll(4) == 0 { ["not (", &leaf, ")"] } else { ["", &leaf, ""] };
        text.extend(parts);
    }
    text
}

pub(crate) fn text_leaf(dice: &mut Dice, paths: &[&str], values: &[String]) -> String {
    let path = dice.pick(paths);
    let op = dice.pick(&["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"]);
    if op == "pr" {
        return format!("{path} pr");
    }
    let value = dice.word(values);
    format!("{path} {op} {}", Value::from(value))
}
