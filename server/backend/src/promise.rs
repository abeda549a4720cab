//! Tests of promises, each named after its own (`promise::p31::…`), which is how the public page finds what it found.

mod p25;
mod p26_coach;
mod p28;
mod p31;
mod p32;
mod p33;
mod p42;
mod p44;
mod p45;
mod p49;
