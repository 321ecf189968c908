//! Tokens of a filter.
