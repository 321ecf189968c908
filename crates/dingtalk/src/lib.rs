//! DingTalk's API: wire types, token, limiter, error table; the connector.
