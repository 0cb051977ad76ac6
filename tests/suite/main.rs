//! Every test that runs the service from end to end, and the tests of the house itself.

mod anonymous;
mod architecture;
mod articles;
mod conditional;
mod document;
mod framework_errors;
mod identity;
mod merge_patch;
mod students;
