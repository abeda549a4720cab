//! Erasure, proven by bytes (privacy-design §2.9): somebody with an unmistakable word in every field comes in through
//! every entry there is; the scan finds her where she is said to lie; she is erased; the scan finds nothing, and
//! everybody else is as they were, to the byte. Leaving any one eraser out is noticed.

mod account;
mod evidence;
mod messages;
mod viewer;
mod world;
