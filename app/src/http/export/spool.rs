//! Text of an export that its client has not received yet.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::SpooledTempFile;
use tokio::task::spawn_blocking;

/// Maximum size in memory, in bytes. Above it, the text is in a temporary file without a name.
const IN_MEMORY: usize = 1 << 20;

/// Text that one task appends while another reads it, and the turn of its export.
#[derive(Clone)]
pub struct Spool(Arc<Mutex<Option<Open>>>);

struct Open {
    file: SpooledTempFile,
    _turn: Box<dyn Send>,
}

impl Spool {
    pub fn new(turn: Box<dyn Send>) -> Self {
        Self(Arc::new(Mutex::new(Some(Open { file: SpooledTempFile::new(IN_MEMORY), _turn: turn }))))
    }

    /// # Errors
    /// [`io::Error`] if the temporary file cannot be created or written.
    pub async fn append(&self, text: Vec<u8>) -> io::Result<()> {
        self.with(move |file| {
            file.seek(SeekFrom::End(0))?;
            file.write_all(&text)
        })
        .await
    }

    /// Reads text that was appended.
    ///
    /// # Errors
    /// [`io::Error`] if the temporary file cannot be read.
    pub async fn read(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        self.with(move |file| {
            let mut text = vec![0; length];
            file.seek(SeekFrom::Start(position))?;
            file.read_exact(&mut text)?;
            Ok(text)
        })
        .await
    }

    /// Removes the text, and ends the turn.
    pub async fn close(&self) {
        let open = Arc::clone(&self.0);
        // A file that is not closed yet will be with the last reader.
        let _ = spawn_blocking(move || drop(open.lock().unwrap_or_else(PoisonError::into_inner).take())).await;
    }

    async fn with<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut SpooledTempFile) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let open = Arc::clone(&self.0);
        let result = spawn_blocking(move || {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            open.as_mut().map_or_else(
                || Err(io::Error::other("the client received too little of the export for too long")),
                |open| run(&mut open.file),
            )
        });
        result.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn text_is_read_while_more_is_appended_until_it_is_removed() {
        let turn = Arc::new(());
        let spool = Spool::new(Box::new(Arc::clone(&turn)));
        let parts = [vec![b'a'; 10], vec![b'b'; IN_MEMORY], vec![b'c'; 10]];
        let mut position = 0;
        for (part, is_in_memory) in parts.iter().zip([true, false, false]) {
            spool.append(part.clone()).await.unwrap();
            assert_eq!(spool.read(position, part.len()).await.unwrap(), *part);
            position += part.len() as u64;
            assert_eq!(spool.0.lock().unwrap().as_ref().unwrap().file.is_rolled(), !is_in_memory);
        }
        assert_eq!(spool.read(0, 10).await.unwrap(), parts[0]);

        assert_eq!(Arc::strong_count(&turn), 2);
        spool.close().await;
        assert_eq!(Arc::strong_count(&turn), 1);
        spool.read(0, 10).await.unwrap_err();
    }
}
