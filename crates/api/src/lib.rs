//! HTTP in: SCIM routes, REST routes, authentication, OpenAPI.
