//! Tests of promises that need nothing but the files of the policy; see `backend`'s module of the same name.

mod p01;
mod p17;
mod p19;
mod p20;
mod p35;
mod p47;
mod p48;
