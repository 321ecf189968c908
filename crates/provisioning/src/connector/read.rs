//! What reads of many things bring: pages that end, and what a read cannot show.

/// Where a list goes on. Only the connector that made it can read it.
///
/// A target may hand out places that never end (DingTalk has been seen to repeat one), so every place knows enough of
/// those before it to notice a circle, after at most three times its length (Brent's algorithm).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    place: String,
    /// An earlier place, taken anew ever more rarely.
    milestone: String,
    /// Places since the milestone, and after how many there is a new one.
    steps: u32,
    stretch: u32,
}

/// A list that leads back to a place where it was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the list leads in a circle")]
pub struct Circle;

impl Cursor {
    /// The beginning of a list.
    pub fn start(place: impl Into<String>) -> Self {
        let place = place.into();
        Self { milestone: place.clone(), place, steps: 0, stretch: 1 }
    }

    /// The place, in the target's own words.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The next place.
    ///
    /// # Errors
    ///
    /// [`Circle`] if the list has been there.
    pub fn advance(&self, place: impl Into<String>) -> Result<Self, Circle> {
        let place = place.into();
        if place == self.milestone || place == self.place {
            return Err(Circle);
        }
        let steps = self.steps.saturating_add(1);
        Ok(if steps == self.stretch {
            Self { milestone: place.clone(), place, steps: 0, stretch: self.stretch.saturating_mul(2) }
        } else {
            Self { milestone: self.milestone.clone(), place, steps, stretch: self.stretch }
        })
    }
}

/// A part of a list. Only a page without `next` is the last one; a page without items need not be.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor>,
}

/// An entity of which a list says only what it is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The target's own id.
    pub remote_id: String,
    /// What it is called.
    pub name: String,
}

/// Attributes that a read leaves out whatever they are: there, a missing value says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hidden(Vec<&'static str>);

impl Hidden {
    /// These attributes; one that ends with a dot stands for all that begin so.
    pub fn new(attributes: impl IntoIterator<Item = &'static str>) -> Self {
        Self(attributes.into_iter().collect())
    }

    /// Whether the read leaves `attribute` out.
    pub fn covers(&self, attribute: &str) -> bool {
        self.0.iter().any(|hidden| *hidden == attribute || hidden.ends_with('.') && attribute.starts_with(hidden))
    }

    /// The attributes, those of both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().filter(|name| !self.0.contains(name)).copied().collect::<Vec<_>>());
        self
    }

    /// The names, as they were given.
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_that_stays_is_a_circle() {
        assert_eq!(Cursor::start("0").advance("0"), Err(Circle));
        let second = Cursor::start("0").advance("100").expect("another place");
        assert_eq!(second.place(), "100");
        assert_eq!(second.advance("100"), Err(Circle));
        assert!(second.advance("200").is_ok());
    }

    #[test]
    fn what_is_hidden() {
        let hidden = Hidden::new(["email", "extension."]).and(&Hidden::new(["email", "mobile"]));
        assert_eq!(hidden.names(), ["email", "extension.", "mobile"]);
        for (attribute, expected) in [("email", true), ("extension.size", true), ("extension", false), ("name", false)]
        {
            assert_eq!(hidden.covers(attribute), expected, "{attribute}");
        }
    }

    proptest! {
        #[test]
        fn every_circle_is_noticed(tail in 0_u32..20, length in 1_u32..20) {
            let place = |step: u32| if step < tail { step } else { tail + (step - tail) % length };
            let mut cursor = Cursor::start(place(0).to_string());
            let noticed = (1..200).find(|step| match cursor.advance(place(*step).to_string()) {
                Ok(next) => { cursor = next; false }
                Err(Circle) => true,
            });
            prop_assert!(noticed.is_some_and(|step| step <= 3 * (tail + length) + 1), "{noticed:?}");
        }

        #[test]
        fn what_ends_is_never_called_a_circle(pages in 1_u32..500) {
            let mut cursor = Cursor::start("0");
            for page in 1..pages {
                cursor = cursor.advance(page.to_string()).expect("a new place");
            }
        }
    }
}
