//! Tests of promises, each named after its own (`promise::p31::…`), which is how the public page finds what it found.

mod p06;
mod p07;
mod p08;
mod p17;
mod p24;
mod p25;
mod p26;
mod p27;
pub(crate) mod p28;
mod p29;
mod p30;
mod p31;
mod p32;
mod p33;
mod p34;
mod p36;
mod p37;
mod p38;
mod p42;
mod p44;
mod p45;
mod p46;
mod p49;
mod p50;
mod p51;
mod p53;
