//! Who changes something shows the token.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, error::Error};

/// Lets a request through that carries `Authorization: Bearer <token>`.
pub async fn require(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(token) = &app.token else {
        let text = "nothing can be changed: the server has neither COORDINATOR_TOKEN_FILE nor COORDINATOR_TOKEN";
        return Error::new(StatusCode::FORBIDDEN, text).into_response();
    };
    if bearer(request.headers()).is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
        return next.run(request).await;
    }
    let mut response =
        Error::new(StatusCode::UNAUTHORIZED, "this wants `Authorization: Bearer <token>`")
            .into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Compares without telling by the time how much of it was right.
fn same(given: &[u8], token: &[u8]) -> bool {
    let differences = token
        .iter()
        .enumerate()
        .fold(0, |all, (place, byte)| all | (byte ^ given.get(place).copied().unwrap_or_default()));
    differences == 0 && given.len() == token.len()
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(same(b"sesame", b"sesame"));
        for wrong in ["", "sesam", "sesame1", "Sesame", "sesame\0"] {
            assert!(!same(wrong.as_bytes(), b"sesame"), "{wrong}");
        }
    }
}
