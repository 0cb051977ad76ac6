//! Contract of exports of students.

use std::future::pending;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join, join_all, select};

use super::fixtures::{T0, at};
use super::students::{Store, insert, named, student};
use super::{Case, cases};
use crate::record::{Record, RecordStore, Visitor};
use crate::student::{Student, StudentFilter};
use crate::{Cursor, MAX_ID, Order, PageRequest, PageSize, StoreError};

/// The cases.
pub const EXPORTS: &[Case<dyn RecordStore<Student>>] = cases![dyn RecordStore<Student>:
    export_contains_what_exists_at_its_start,
    export_ends_when_its_visitor_breaks,
    concurrent_exports_are_limited,
];

/// Collects the names of an export. Writes after its first batch.
struct Exported {
    store: Store,
    names: Vec<String>,
    batches: usize,
    max_batches: usize,
}

impl Exported {
    async fn of(store: &Store, filter: &StudentFilter, max_batches: usize) -> Self {
        let mut exported = Self { store: Arc::clone(store), names: Vec::new(), batches: 0, max_batches };
        store.export(filter, &mut exported).await.unwrap();
        exported
    }
}

#[async_trait]
impl Visitor<Student> for Exported {
    async fn visit(&mut self, records: Vec<Record<Student>>) -> ControlFlow<()> {
        if self.batches == 0 && records.len() > 1 {
            let after = Cursor::after(&records[records.len() - 1], None, Order::BY_ID);
            let next = PageRequest { after: Some(after), ..PageRequest::ONE };
            if let Some(later) = self.store.page(&StudentFilter::default(), next).await.unwrap().entries.pop() {
                self.store.delete(later.id, None, &at(T0)).await.unwrap();
            }
            self.store.insert(student("Late", MAX_ID - records[0].roll_no.get()), &at(T0)).await.unwrap();
        }
        self.names.extend(records.iter().map(|student| student.name.to_string()));
        self.batches += 1;
        if self.batches == self.max_batches { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// More students than a batch contains, of which every second is named Asha.
async fn insert_more_than_a_batch(store: &Store) -> usize {
    let total = 2 * usize::from(PageSize::MAX) + 1;
    let names = (1..).zip(["Ravi", "Asha"].into_iter().cycle()).take(total);
    for chunk in names.collect::<Vec<_>>().chunks(500) {
        join_all(chunk.iter().map(|(roll_no, name)| insert(store, name, *roll_no))).await;
    }
    total
}

async fn export_contains_what_exists_at_its_start(store: Store) {
    let total = insert_more_than_a_batch(&store).await;
    let all = Exported::of(&store, &StudentFilter::default(), usize::MAX).await;
    assert_eq!((all.names.len(), all.batches), (total, 3));
    assert!(!all.names.iter().any(|name| name == "Late"));
    let named_late = Exported::of(&store, &named("late"), usize::MAX).await;
    assert_eq!((named_late.names.len(), named_late.batches), (1, 1));
    let none = Exported::of(&store, &named("meera"), usize::MAX).await;
    assert_eq!((none.names.len(), none.batches), (0, 1));
}

async fn export_ends_when_its_visitor_breaks(store: Store) {
    insert_more_than_a_batch(&store).await;
    let first = Exported::of(&store, &StudentFilter::default(), 1).await;
    assert_eq!((first.names.len(), first.batches), (usize::from(PageSize::MAX), 1));
}

/// Waits for its client forever.
struct Waiting;

#[async_trait]
impl Visitor<Student> for Waiting {
    async fn visit(&mut self, _: Vec<Record<Student>>) -> ControlFlow<()> {
        pending().await
    }
}

/// Those beyond the limit fail, and those that are abandoned make room.
async fn concurrent_exports_are_limited(store: Store) {
    let filter = StudentFilter::default();
    let (mut first, mut second) = (Waiting, Waiting);
    let both = join(store.export(&filter, &mut first), store.export(&filter, &mut second));
    let third = async {
        let mut third = Exported { store: Arc::clone(&store), names: Vec::new(), batches: 0, max_batches: 1 };
        store.export(&filter, &mut third).await
    };
    // `select` polls the first future first.
    let outcome = match select(pin!(both), pin!(third)).await {
        futures_util::future::Either::Left(_) => unreachable!("the first exports wait forever"),
        futures_util::future::Either::Right((outcome, _)) => outcome,
    };
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    Exported::of(&store, &filter, usize::MAX).await;
}
