//! SCIM 2.0 as pure code: schemas as data, resources, paths, filters, PATCH, projection, discovery, errors.
