//! The loop: claim, load, map, observe, plan, apply, record.
