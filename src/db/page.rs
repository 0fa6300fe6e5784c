//! Pages of a list.

use crate::scalar::{PageNumber, PerPage};
use crate::written::Written;

/// Which page is asked for: `page` from 1, `per_page` from 1 to 200.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// The page's number, from 1.
    pub page: i64,
    /// How many items a page has.
    pub per_page: i64,
}

impl Paging {
    /// What a request asked for, or the first page of the usual size.
    pub fn new(page: Option<PageNumber>, per_page: Option<PerPage>, usual: i64) -> Self {
        Self { page: page.map_or(1, |page| page.0), per_page: per_page.map_or(usual, |per_page| per_page.0) }
    }

    /// How many items come before this page. Saturates, because `page` may be as large as an integer gets.
    pub fn offset(&self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page)
    }
}

/// The items of a page.
pub trait Items {
    /// None.
    fn none() -> Self;
    /// How many there are.
    fn count(&self) -> usize;
}

impl<T> Items for Vec<T> {
    fn none() -> Self {
        Self::new()
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Items for Written<Vec<T>> {
    fn none() -> Self {
        Self::list(2)
    }

    fn count(&self) -> usize {
        self.count()
    }
}

/// One page of a list and how many items the list has in all.
#[derive(Debug)]
pub struct Page<I> {
    /// The items of this page.
    pub items: I,
    /// How many items there are in all.
    pub total: i64,
    /// Which page this is.
    pub paging: Paging,
}

impl<I: Items> Page<I> {
    /// Makes a page: the items are read only when there can be any.
    ///
    /// # Errors
    /// Whatever `items` returns.
    pub fn read(
        paging: Paging,
        total: i64,
        items: impl FnOnce() -> crate::error::Result<I>,
    ) -> crate::error::Result<Self> {
        let items = if paging.offset() < total { items()? } else { I::none() };
        Ok(Self { items, total, paging })
    }

    /// Makes a page of a list that is short most of the time: it is counted only when the page does not show where it ends.
    ///
    /// # Errors
    /// Whatever `items` and `total` return.
    pub fn read_first(
        paging: Paging,
        items: impl FnOnce() -> crate::error::Result<I>,
        total: impl FnOnce() -> crate::error::Result<i64>,
    ) -> crate::error::Result<Self> {
        let items = items()?;
        let count = items.count() as i64;
        let is_last = count < paging.per_page && (count > 0 || paging.page == 1);
        let total = if is_last { paging.offset() + count } else { total()? };
        Ok(Self { items, total, paging })
    }

    /// The number of the last page; 1 for an empty list.
    pub fn last_page(&self) -> i64 {
        (self.total + self.paging.per_page - 1).div_euclid(self.paging.per_page).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_is_never_below_one() {
        let page =
            |total| Page::<Vec<i64>> { items: vec![], total, paging: Paging { page: 1, per_page: 15 } };
        assert_eq!([0, 1, 15, 16].map(|total| page(total).last_page()), [1, 1, 1, 2]);
    }

    #[test]
    fn a_list_is_counted_only_when_its_end_is_not_seen() {
        let total = |page, items: Vec<i64>, counted: i64| {
            let paging = Paging { page, per_page: 3 };
            Page::read_first(paging, || Ok(items), || Ok(counted)).unwrap().total
        };
        assert_eq!(total(1, vec![], 99), 0);
        assert_eq!(total(1, vec![7, 8], 99), 2);
        assert_eq!(total(2, vec![9], 99), 4);
        assert_eq!(total(1, vec![7, 8, 9], 3), 3);
        assert_eq!(total(2, vec![], 3), 3);
        assert_eq!(total(i64::MAX, vec![], 3), 3);
    }

    #[test]
    fn a_page_far_past_the_end_reads_nothing() {
        let paging = Paging { page: i64::MAX, per_page: 200 };
        let page = Page::<Vec<i64>>::read(paging, 10, || panic!("must not read")).unwrap();
        assert!(page.items.is_empty());
    }
}
