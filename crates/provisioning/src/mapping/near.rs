//! Names that are nearly the one that was written.

/// How many letters may be wrong in a name, that is in how many places two names may differ.
const MOST_WRONG: usize = 3;

/// The most names that are suggested.
const MOST: usize = 3;

/// The known names that are nearest to one that is not known.
pub(super) fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = wrong.to_lowercase();
    let most = MOST_WRONG.min(wrong.chars().count().div_ceil(3));
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    found.sort_unstable();
    let best = found.first().map(|(distance, _)| *distance);
    found.retain(|(distance, _)| Some(*distance) == best);
    found.truncate(MOST);
    found.into_iter().map(|(_, name)| name).collect()
}

/// Advice that names what was perhaps meant, or where the known names are.
pub(super) fn advice<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let names: Vec<String> = near(wrong, known).into_iter().map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() { otherwise.to_owned() } else { format!("Did you mean {}?", names.join(" or ")) }
}

/// Levenshtein's distance, in which two neighbours that changed places count as one mistake.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_counted() {
        for (left, right, expected) in
            [("", "", 0), ("abc", "abc", 0), ("dispalyname", "displayname", 1), ("titel", "title", 1), ("abc", "", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["displayName", "nickName", "name", "title"];
        assert_eq!(near("dispalyName", known), ["displayName"]);
        assert_eq!(near("Titel", known), ["title"]);
        assert!(near("shoeSize", known).is_empty());
        assert_eq!(advice("nam", known, "Look."), "Did you mean \"name\"?");
        assert_eq!(advice("shoeSize", known, "Look."), "Look.");
    }
}
