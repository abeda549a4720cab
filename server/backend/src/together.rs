//! Questions that many ask at the same moment, asked of the database once.
//!
//! A question is answered by an asking that began after it came, so nobody hears of a state older than their own
//! question: whoever comes while one is on its way waits for the next, together with everybody else who does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

type Waiting<V> = Mutex<HashMap<String, Vec<oneshot::Sender<V>>>>;

/// Answers to the same question, by what it is about.
pub(crate) struct Together<V> {
    waiting: Arc<Waiting<V>>,
}

impl<V> Default for Together<V> {
    fn default() -> Self {
        Self { waiting: Arc::default() }
    }
}

/// While it lives, somebody is asking. Whoever still waits when it ends without an answer is told that there is none.
struct Asking<V> {
    about: String,
    waiting: Arc<Waiting<V>>,
}

impl<V> Asking<V> {
    /// Everybody who waits; nobody, and the asking is over.
    fn take(&self) -> Vec<oneshot::Sender<V>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = waiting.get_mut(&self.about).map(std::mem::take).unwrap_or_default();
        if taken.is_empty() {
            waiting.remove(&self.about);
        }
        taken
    }
}

impl<V> Drop for Asking<V> {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.about);
    }
}

impl<V: Clone + Send + 'static> Together<V> {
    /// The answer of `ask`; nothing when it broke.
    pub(crate) async fn ask<F, Fut>(&self, about: &str, ask: F) -> Option<V>
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = V> + Send,
    {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let others = waiting.get_mut(about);
            let is_first = others.is_none();
            match others {
                Some(others) => others.push(answer),
                None => drop(waiting.insert(about.to_owned(), vec![answer])),
            }
            is_first
        };
        if is_first {
            let asking = Asking { about: about.to_owned(), waiting: self.waiting.clone() };
            // Whoever came first may go away; the others still want to know.
            tokio::spawn(async move {
                loop {
                    let askers = asking.take();
                    if askers.is_empty() {
                        break;
                    }
                    let answer = ask().await;
                    for asker in askers {
                        let _gone = asker.send(answer.clone());
                    }
                }
            });
        }
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_comes_while_one_asks_waits_for_the_next_and_all_of_them_for_one() {
        let together = Arc::new(Together::<u32>::default());
        let (asked, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
        let one = || {
            let (together, asked, gate) = (together.clone(), asked.clone(), gate.clone());
            tokio::spawn(async move {
                let ask = move || {
                    let (asked, gate) = (asked.clone(), gate.clone());
                    async move {
                        let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
                        gate.acquire().await.expect("open").forget();
                        number
                    }
                };
                together.ask("page", ask).await
            })
        };
        let first = one();
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let later = [one(), one(), one()];
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.expect("ends"), Some(1));
        for other in later {
            assert_eq!(other.await.expect("ends"), Some(2), "an answer older than the question");
        }
        assert!(together.waiting.lock().expect("whole").is_empty());
    }

    #[tokio::test]
    async fn an_asking_that_breaks_leaves_nobody_waiting_and_the_next_one_asks_again() {
        let together = Together::<u32>::default();
        assert_eq!(together.ask("page", || async { panic!("broken on purpose") }).await, None);
        assert_eq!(together.ask("page", || async { 7 }).await, Some(7));
    }
}
