//! HTML.

use std::fmt::Write as _;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::entra_error::{EntraError, Trace};

/// For the person in front of the browser; nobody is sent anywhere.
pub(super) fn error(error: &EntraError, trace: &Trace) -> Response {
    let body = format!(
        "<h1>Sorry, but we cannot sign you in</h1>\n<p>{}</p>",
        escaped(&error.description(trace))
    );
    html(StatusCode::BAD_REQUEST, "Sign in failed", &body)
}

/// Posts the fields to the application, at once where there is script.
pub(super) fn form(action: &str, fields: &[(&str, &str)]) -> Response {
    let mut body = format!("<form method=\"post\" action=\"{}\">\n", escaped(action));
    for (name, value) in fields {
        // Writing to a string cannot fail.
        let _ = writeln!(
            body,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escaped(name),
            escaped(value)
        );
    }
    body.push_str(
        "<noscript><p>Press the button to go on.</p><input type=\"submit\" value=\"Continue\"></noscript>\n\
         </form>\n<script>document.forms[0].submit();</script>",
    );
    html(StatusCode::OK, "Working...", &body)
}

fn html(status: StatusCode, title: &str, body: &str) -> Response {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n{body}\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, text).into_response()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // A browser would turn a bare line break into two bytes.
            '\r' => safe.push_str("&#13;"),
            '\n' => safe.push_str("&#10;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_is_left_that_html_would_read() {
        assert_eq!(
            escaped("<a href=\"x\">'&'\n</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&#10;&lt;/a&gt;"
        );
    }
}
