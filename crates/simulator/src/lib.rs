//! A stateful DingTalk on loopback, for the demo, rehearsals and tests.
