//! What is around every page: head, navigation, banners.

use crate::assets;
use crate::operator::Operator;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::count::count_of;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};

/// A page of the navigation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Home,
    Held,
    Plans,
    People,
    Departments,
    Groups,
    Links,
    Guards,
    Mapping,
    Targets,
    Sources,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    style: &'a str,
    script: &'a str,
    icon: &'a str,
    title: &'a str,
    section: Section,
    operator: &'a str,
    refreshing: bool,
    toggle: Option<String>,
    notice: Option<String>,
    /// Written by a template, so it is safe.
    body: &'a str,
}

/// A page with its frame; or its body alone, when the script asks for it.
pub(crate) fn page(
    view: &View,
    operator: &Operator,
    (title, section): (&str, Section),
    body: &impl Template,
) -> Result<Response, Trouble> {
    let body = body.render()?;
    if view.fragment {
        return Ok(html(body).into_response());
    }
    let assets = assets::addresses();
    let frame = Frame {
        style: &assets.style,
        script: &assets.script,
        icon: &assets.icon,
        title,
        section,
        operator: &operator.name,
        refreshing: view.refreshing,
        toggle: view.toggled(),
        notice: view.retried.map(retried),
        body: &body,
    };
    Ok(html(frame.render()?).into_response())
}

/// An answer of HTML.
pub(crate) fn html(text: String) -> Html<String> {
    Html(text)
}

fn retried(marked: u64) -> String {
    let marked = i64::try_from(marked).unwrap_or(i64::MAX);
    match marked {
        0 => "Nothing was there to be looked at again.".to_owned(),
        _ => format!("{} looked at again now.", count_of(marked, "delivery is", "deliveries are")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, body_of};
    use rollcall_provisioning::ids::TenantId;
    use uuid::Uuid;

    #[derive(Template)]
    #[template(source = "<p>{{ text }}</p>", ext = "html")]
    struct Body {
        text: &'static str,
    }

    async fn shown(view: &View) -> String {
        let operator = Operator { tenant: TenantId(Uuid::nil()), name: HOSTILE.to_owned(), https: false };
        let page = page(view, &operator, (HOSTILE, Section::People), &Body { text: "x" });
        body_of(page.expect("a page")).await
    }

    #[tokio::test]
    async fn the_script_gets_the_changing_part_alone() {
        assert_eq!(shown(&View::of("/console", "", true)).await, "<p>x</p>");
        let whole = shown(&View::of("/console", "", false)).await;
        assert!(whole.contains("data-live><p>x</p></main>") && whole.contains("<noscript><meta"), "{whole}");
        assert!(whole.contains("href=\"/console/people\" aria-current=\"page\""), "{whole}");
    }

    #[tokio::test]
    async fn a_page_can_be_made_to_stand_still() {
        let still = shown(&View::of("/console", "refresh=off", false)).await;
        assert!(
            !still.contains("data-live") && !still.contains("<script src") && !still.contains("http-equiv"),
            "{still}"
        );
        assert!(still.contains("href=\"/console\">Refresh every two seconds"), "{still}");
    }

    #[tokio::test]
    async fn who_is_signed_in_and_what_is_shown_are_text() {
        let whole = shown(&View::of("/console", "x=\"><script>", false)).await;
        assert!(!whole.contains("<script>"), "{whole}");
        assert!(whole.contains("<bdi>&#60;script&#62;"), "{whole}");
    }

    #[tokio::test]
    async fn what_a_retry_did_is_said_once_in_the_frame() {
        for (query, expected) in [
            ("retried=0", "Nothing was there to be looked at again."),
            ("retried=1", "1 delivery is looked at again now."),
            ("retried=42", "42 deliveries are looked at again now."),
        ] {
            let whole = shown(&View::of("/console", query, false)).await;
            assert!(whole.contains(expected), "{whole}");
        }
    }
}
