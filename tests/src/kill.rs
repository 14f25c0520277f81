//! Work that is killed: dropped at one await point after the other.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

#[derive(Debug)]
struct CutOff<F> {
    work: F,
    polls: u32,
}

impl<F: Future + Unpin> Future for CutOff<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        Pin::new(&mut self.work).poll(context).map(Some)
    }
}

/// Looks at a piece of work a number of times and then drops it, wherever it is: what a kill does to it. Its answer, if it came to its end.
pub async fn cut_off<F: Future>(work: F, polls: u32) -> Option<F::Output> {
    let work = pin!(work);
    CutOff { work, polls }.await
}

/// Runs some work over and over, cut off one step later each time, until it gets to its end: how many steps that took, and the end.
pub async fn cut_at_every_step<T, F: Future<Output = T>>(work: impl Fn() -> F) -> (u32, T) {
    let mut polls = 1;
    loop {
        if let Some(done) = cut_off(work(), polls).await {
            return (polls, done);
        }
        polls += 1;
    }
}
