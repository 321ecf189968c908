//! The bodies of SCIM requests and answers, for the OpenAPI document. It says what every body has; which attributes a
//! resource can have beyond that is told by `/Schemas`, since it differs from tenant to tenant.
#![expect(dead_code, reason = "they only describe JSON that is read and written as such")]

use crate::scim::ScimError;
use serde_json::Value;
use utoipa::ToSchema;

/// A user or a group, or what of it was asked for. Its other attributes are those of its schemas.
#[derive(ToSchema)]
pub(super) struct ScimResource {
    /// The URNs of the schemas that it uses.
    schemas: Vec<String>,
    /// The SCIM id.
    id: String,
    /// The client's own id for it.
    #[schema(rename = "externalId", nullable = false)]
    external_id: Option<String>,
    #[schema(nullable = false)]
    meta: Option<ScimMeta>,
}

/// What the server knows about a resource, or what of it was asked for.
#[derive(ToSchema)]
pub(super) struct ScimMeta {
    #[schema(rename = "resourceType", nullable = false, example = "User")]
    resource_type: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    created: Option<String>,
    #[schema(rename = "lastModified", value_type = Option<String>, format = DateTime, nullable = false)]
    last_modified: Option<String>,
    /// The URL of the resource.
    #[schema(nullable = false)]
    location: Option<String>,
    /// The entity tag, as in the header `ETag`.
    #[schema(nullable = false, example = "W/\"1\"")]
    version: Option<String>,
}

/// A new user, or a user as it is to be. Names are read in any case.
#[derive(ToSchema)]
pub(super) struct ScimUserBody {
    /// The URN of the core schema; those of extensions may be left out.
    #[schema(min_items = 1)]
    schemas: Vec<UserUrn>,
    /// Unique in the tenant, whatever its case.
    #[schema(rename = "userName", min_length = 1, max_length = 1024, example = "ada@example.com")]
    user_name: String,
}

/// A new group, or a group as it is to be. Names are read in any case.
#[derive(ToSchema)]
pub(super) struct ScimGroupBody {
    /// The URN of the core schema.
    #[schema(min_items = 1)]
    schemas: Vec<GroupUrn>,
    /// Unique in the tenant, whatever its case.
    #[schema(rename = "displayName", min_length = 1, max_length = 1024, example = "Staff")]
    display_name: String,
}

/// The schemas of users.
#[derive(ToSchema)]
enum UserUrn {
    #[schema(rename = "urn:ietf:params:scim:schemas:core:2.0:User")]
    Core,
}

/// The schemas of groups.
#[derive(ToSchema)]
enum GroupUrn {
    #[schema(rename = "urn:ietf:params:scim:schemas:core:2.0:Group")]
    Core,
}

/// Changes to a resource (RFC 7644 section 3.5.2): all of them or none.
#[derive(ToSchema)]
pub(super) struct ScimPatch {
    #[schema(min_items = 1)]
    schemas: Vec<PatchUrn>,
    #[schema(rename = "Operations", min_items = 1)]
    operations: Vec<ScimPatchOperation>,
}

/// The schema of a PATCH.
#[derive(ToSchema)]
enum PatchUrn {
    #[schema(rename = "urn:ietf:params:scim:api:messages:2.0:PatchOp")]
    Patch,
}

/// One change.
#[derive(ToSchema)]
struct ScimPatchOperation {
    op: PatchVerb,
    /// What is changed; without one, `value` is an object whose keys are the paths. `remove` needs one.
    #[schema(nullable = false, example = "emails[type eq \"work\"].value")]
    path: Option<String>,
    /// What it becomes. `null`, an empty text and an empty list clear it.
    value: Option<Value>,
}

/// What is done, in any case.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum PatchVerb {
    Add,
    Remove,
    Replace,
}

/// A query in a body (RFC 7644 section 3.4.3).
#[derive(ToSchema)]
pub(super) struct ScimSearch {
    #[schema(min_items = 1)]
    schemas: Vec<SearchUrn>,
    #[schema(nullable = false, example = "userName eq \"ada@example.com\"")]
    filter: Option<String>,
    #[schema(rename = "sortBy", nullable = false)]
    sort_by: Option<String>,
    /// ascending, or descending
    #[schema(rename = "sortOrder", nullable = false)]
    sort_order: Option<String>,
    #[schema(rename = "startIndex", nullable = false)]
    start_index: Option<i64>,
    #[schema(nullable = false)]
    count: Option<i64>,
    /// Empty for the first page, then `nextCursor` of the page before (RFC 9865).
    #[schema(nullable = false)]
    cursor: Option<String>,
    #[schema(nullable = false)]
    attributes: Option<Vec<String>>,
    #[schema(rename = "excludedAttributes", nullable = false)]
    excluded_attributes: Option<Vec<String>>,
}

/// The schema of a search.
#[derive(ToSchema)]
enum SearchUrn {
    #[schema(rename = "urn:ietf:params:scim:api:messages:2.0:SearchRequest")]
    Search,
}

/// A page of a list (RFC 7644 section 3.4.2, RFC 9865).
#[derive(ToSchema)]
pub(super) struct ScimList {
    schemas: Vec<String>,
    /// How many there are on all pages; left out by a cursor where counting would cost more than the page.
    #[schema(rename = "totalResults", minimum = 0, nullable = false)]
    total_results: Option<i64>,
    /// The position of the first one on the page, from 1; not by a cursor.
    #[schema(rename = "startIndex", minimum = 1, nullable = false)]
    start_index: Option<i64>,
    /// How many are on the page.
    #[schema(rename = "itemsPerPage", minimum = 0)]
    items_per_page: i64,
    /// The cursor of the page after it; not on the last one.
    #[schema(rename = "nextCursor", nullable = false)]
    next_cursor: Option<String>,
    /// The cursor of the page before it; not on the first one.
    #[schema(rename = "previousCursor", nullable = false)]
    previous_cursor: Option<String>,
    #[schema(rename = "Resources")]
    resources: Vec<ScimResource>,
}

/// Many operations in one request (RFC 7644 section 3.7).
#[derive(ToSchema)]
pub(super) struct ScimBulk {
    #[schema(min_items = 1)]
    schemas: Vec<BulkUrn>,
    /// After so many failed operations no other is begun.
    #[schema(rename = "failOnErrors", minimum = 0, nullable = false)]
    fail_on_errors: Option<i64>,
    #[schema(rename = "Operations", max_items = 1000)]
    operations: Vec<ScimBulkOperation>,
}

/// The schema of a bulk request.
#[derive(ToSchema)]
enum BulkUrn {
    #[schema(rename = "urn:ietf:params:scim:api:messages:2.0:BulkRequest")]
    Bulk,
}

/// One operation of many.
#[derive(ToSchema)]
struct ScimBulkOperation {
    method: BulkMethod,
    /// The name by which others of the request refer to what a POST makes, as `bulkId:<name>`.
    #[schema(rename = "bulkId", nullable = false)]
    bulk_id: Option<String>,
    /// The version that the resource must have.
    #[schema(nullable = false)]
    version: Option<String>,
    #[schema(example = "/Users")]
    path: String,
    /// The body; not of a DELETE.
    #[schema(value_type = Option<Object>, nullable = false)]
    data: Option<Value>,
}

/// How.
#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
enum BulkMethod {
    Post,
    Put,
    Patch,
    Delete,
}

/// How the operations ended.
#[derive(ToSchema)]
pub(super) struct ScimBulkAnswer {
    schemas: Vec<String>,
    /// In the order of the request; those that were not begun are left out.
    #[schema(rename = "Operations")]
    operations: Vec<ScimBulkEnd>,
}

/// How one operation ended.
#[derive(ToSchema)]
struct ScimBulkEnd {
    method: String,
    #[schema(rename = "bulkId", nullable = false)]
    bulk_id: Option<String>,
    #[schema(nullable = false)]
    version: Option<String>,
    #[schema(nullable = false)]
    location: Option<String>,
    /// The HTTP status, as a string.
    #[schema(example = "201")]
    status: String,
    /// The error of one that failed.
    #[schema(nullable = false)]
    response: Option<ScimError>,
}
