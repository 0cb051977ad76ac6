//! Bounds of the queue, with work that runs until its channel closes.

use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::*;

fn queue(running: usize, waiting: usize) -> Arc<Queue> {
    Arc::new(Queue::new(Limits { running: NonZeroUsize::new(running).unwrap(), waiting }))
}

/// Starts work that runs until the sender is dropped.
async fn begin(queue: &Arc<Queue>) -> (Sender<()>, tokio::task::JoinHandle<Result<(), HashError>>) {
    let (end, ended) = channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let queue = Arc::clone(queue);
    let task = tokio::spawn(async move {
        queue
            .run(move || {
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
    let mut waiting = Box::pin(queue.run(|| "waited"));
    assert!(poll(waiting.as_mut()).is_pending());

    let rejected = pin!(queue.run(|| "never"));
    assert!(matches!(poll(rejected), Poll::Ready(Err(HashError::Busy))));

    drop(end);
    assert_eq!(waiting.await.unwrap(), "waited");
    running.await.unwrap().unwrap();
    assert_eq!(queue.run(|| "free again").await.unwrap(), "free again");
}

/// REQ 21.
#[tokio::test]
async fn concurrent_work_stays_within_limit() {
    let queue = queue(2, 1);
    let (end_first, first) = begin(&queue).await;
    let (end_second, second) = begin(&queue).await;
    let mut third = Box::pin(queue.run(|| ()));
    assert!(poll(third.as_mut()).is_pending());
    assert_eq!((queue.running.available_permits(), queue.places.available_permits()), (0, 0));
    drop(end_first);
    third.await.unwrap();
    drop(end_second);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!((queue.running.available_permits(), queue.places.available_permits()), (2, 3));
}

#[tokio::test]
async fn cancelled_call_frees_its_place_and_never_runs() {
    let queue = queue(1, 1);
    let (end, running) = begin(&queue).await;
    let mut cancelled = Box::pin(queue.run(|| panic!("cancelled work must not run")));
    assert!(poll(cancelled.as_mut()).is_pending());
    assert!(matches!(poll(pin!(queue.run(|| ()))), Poll::Ready(Err(HashError::Busy))));
    drop(cancelled);

    let mut next = Box::pin(queue.run(|| "next"));
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
        let mut cancelled = Box::pin(queue.run(move || ran.send(())));
        assert!(poll(cancelled.as_mut()).is_pending());
        drop(cancelled);
        drop(end);
        let _ = blocking.await.unwrap();
        // The only thread runs its tasks in order, so it has already skipped the cancelled one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert!(has_run.recv().is_err(), "cancelled work must not run");
        assert!(queue.run(|| ()).await.is_ok());
    });
}

#[tokio::test]
async fn started_work_keeps_its_place_after_cancellation() {
    let queue = queue(1, 0);
    let (end, running) = begin(&queue).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert!(matches!(queue.run(|| ()).await, Err(HashError::Busy)));
    drop(end);
    let _all = queue.places.acquire().await.unwrap();
}

#[tokio::test]
async fn panicking_work_fails_and_frees_its_place() {
    let queue = queue(1, 0);
    assert!(matches!(queue.run(|| panic!("broken")).await, Err::<(), _>(HashError::Failed(_))));
    assert!(queue.run(|| ()).await.is_ok());
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
    let queue = queue(usize::MAX, usize::MAX);
    assert_eq!(queue.places.available_permits(), Semaphore::MAX_PERMITS);
}
