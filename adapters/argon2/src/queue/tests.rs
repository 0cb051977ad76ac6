//! Bounds of the queue, with work that runs until its channel closes.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::*;

const SHARE: Share = Share { client: IpAddr::V4(Ipv4Addr::LOCALHOST), account: 1 };

fn queue(running: usize, waiting: usize) -> Arc<Queue> {
    Arc::new(Queue::new(Limits { running: NonZeroUsize::new(running).unwrap(), waiting }))
}

/// The numbers of running and waiting calls.
fn counts(queue: &Queue) -> (usize, usize) {
    let state = lock(&queue.state);
    (state.running, state.waiting.len())
}

/// Starts work that runs until the sender is dropped.
async fn begin(queue: &Arc<Queue>) -> (Sender<()>, tokio::task::JoinHandle<Result<(), HashError>>) {
    let (end, ended) = channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let queue = Arc::clone(queue);
    let task = tokio::spawn(async move {
        queue
            .run(SHARE, move || {
                begun.send(()).unwrap();
                let _ = ended.recv();
            })
            .await
    });
    has_begun.await.unwrap();
    (end, task)
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// REQ 21.
#[tokio::test]
async fn full_queue_rejects_immediately() {
    let queue = queue(1, 1);
    let (end, running) = begin(&queue).await;
    let mut waiting = Box::pin(queue.run(SHARE, || "waited"));
    assert!(poll(waiting.as_mut()).is_pending());

    let rejected = pin!(queue.run(SHARE, || "never"));
    assert!(matches!(poll(rejected), Poll::Ready(Err(HashError::Busy))));

    drop(end);
    assert_eq!(waiting.await.unwrap(), "waited");
    running.await.unwrap().unwrap();
    assert_eq!(queue.run(SHARE, || "free again").await.unwrap(), "free again");
}

/// REQ 21.
#[tokio::test]
async fn concurrent_work_stays_within_limit() {
    let queue = queue(2, 1);
    let (end_first, first) = begin(&queue).await;
    let (end_second, second) = begin(&queue).await;
    let mut third = Box::pin(queue.run(SHARE, || ()));
    assert!(poll(third.as_mut()).is_pending());
    assert_eq!(counts(&queue), (2, 1));
    drop(end_first);
    third.await.unwrap();
    drop(end_second);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(counts(&queue), (0, 0));
}

#[tokio::test]
async fn cancelled_call_frees_its_place_and_never_runs() {
    let queue = queue(1, 1);
    let (end, running) = begin(&queue).await;
    let mut cancelled = Box::pin(queue.run(SHARE, || panic!("cancelled work must not run")));
    assert!(poll(cancelled.as_mut()).is_pending());
    assert!(matches!(poll(pin!(queue.run(SHARE, || ()))), Poll::Ready(Err(HashError::Busy))));
    drop(cancelled);

    let mut next = Box::pin(queue.run(SHARE, || "next"));
    assert!(poll(next.as_mut()).is_pending());
    drop(end);
    assert_eq!(next.await.unwrap(), "next");
    running.await.unwrap().unwrap();
}

#[test]
fn cancelled_call_never_runs_when_threads_are_busy() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let blocking = tokio::task::spawn_blocking(move || ended.recv());
        let queue = queue(1, 0);
        let (ran, has_run) = channel();
        let mut cancelled = Box::pin(queue.run(SHARE, move || ran.send(())));
        assert!(poll(cancelled.as_mut()).is_pending());
        drop(cancelled);
        drop(end);
        let _ = blocking.await.unwrap();
        // The only thread runs its tasks in order, so it has already skipped the cancelled one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert!(has_run.recv().is_err(), "cancelled work must not run");
        assert!(queue.run(SHARE, || ()).await.is_ok());
    });
}

#[tokio::test]
async fn started_work_keeps_its_place_after_cancellation() {
    let queue = queue(1, 0);
    let (end, running) = begin(&queue).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert!(matches!(queue.run(SHARE, || ()).await, Err(HashError::Busy)));
    drop(end);
    while counts(&queue) != (0, 0) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn panicking_work_fails_and_frees_its_place() {
    let queue = queue(1, 0);
    assert!(matches!(queue.run(SHARE, || panic!("broken")).await, Err::<(), _>(HashError::Failed(_))));
    assert!(queue.run(SHARE, || ()).await.is_ok());
}

#[test]
fn default_limits_leave_one_core_free() {
    let limits = Limits::default();
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(limits.running.get(), (cores - 1).max(1));
    assert_eq!(limits.waiting, 64);
}

#[test]
fn largest_limits_do_not_overflow() {
    assert!(queue(usize::MAX, usize::MAX).enter(SHARE).is_ok());
}

/// REQ 21.
#[tokio::test]
async fn call_of_a_smaller_share_takes_the_place_of_a_larger_one() {
    let queue = queue(1, 2);
    let (end, running) = begin(&queue).await;
    let mut flood: Vec<_> = (0..2).map(|_| Box::pin(queue.run(SHARE, || ()))).collect();
    for call in &mut flood {
        assert!(poll(call.as_mut()).is_pending());
    }
    let other = Share { client: Ipv4Addr::BROADCAST.into(), account: 1 };
    let mut call = Box::pin(queue.run(other, || "other"));
    assert!(poll(call.as_mut()).is_pending());
    assert!(matches!(poll(pin!(queue.run(SHARE, || ()))), Poll::Ready(Err(HashError::Busy))));
    let last = flood.pop().unwrap();
    assert!(matches!(last.await, Err(HashError::Busy)));
    drop(end);
    let (first, other) = tokio::join!(flood.remove(0), call);
    first.unwrap();
    assert_eq!(other.unwrap(), "other");
    running.await.unwrap().unwrap();
}
