//! An allocator that counts what it is asked for, while it is told to. A crate of its own, because an allocator is `unsafe`
//! and Lodge's crate forbids that.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Passes everything on to another allocator, and counts it while [`Counting::start`] has been called. Otherwise it costs the
/// look at one flag.
#[derive(Debug)]
pub struct Counting<A> {
    beneath: A,
    counts: AtomicBool,
    times: AtomicU64,
    bytes: AtomicU64,
}

impl<A> Counting<A> {
    /// Around this one.
    pub const fn new(beneath: A) -> Self {
        Self { beneath, counts: AtomicBool::new(false), times: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Counts from now on, from zero, on every thread.
    pub fn start(&self) {
        self.times.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
        self.counts.store(true, Relaxed);
    }

    /// Counts no longer. How often memory was asked for (or a piece made larger), and how many bytes in all.
    pub fn stop(&self) -> (u64, u64) {
        self.counts.store(false, Relaxed);
        (self.times.load(Relaxed), self.bytes.load(Relaxed))
    }

    fn note(&self, bytes: usize) {
        if self.counts.load(Relaxed) {
            self.times.fetch_add(1, Relaxed);
            self.bytes.fetch_add(bytes as u64, Relaxed);
        }
    }
}

// SAFETY: everything is done by the allocator beneath, under the same conditions.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.note(layout.size());
        unsafe { self.beneath.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.note(layout.size());
        unsafe { self.beneath.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.note(size);
        unsafe { self.beneath.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { self.beneath.dealloc(at, layout) }
    }
}
