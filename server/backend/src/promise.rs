//! Tests of promises, each named after its own (`promise::p31::…`), which is how the public page finds what it found.

mod p26 {
    mod viewer;
}
mod p29;
mod p31;
mod p32;
mod p33;
mod p36;
mod p44;
mod p45;
mod p49;
