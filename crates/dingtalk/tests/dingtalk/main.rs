//! The connector against recorded-style answers of DingTalk.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod check;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod enterprise;
#[cfg(test)]
mod errcodes;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod token;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod world;
#[cfg(test)]
mod writes;
