//! Connections on which something else happens than an HTTP answer.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::script::LONGEST;

/// How long a client may take to hang up after the end of an answer.
const FAREWELL: Duration = Duration::from_secs(5);

const BLANKS: &[u8] = &[b' '; 16 * 1024];

/// An answer that hyper would not send. As the error of a service it makes
/// hyper end its work on the connection, and leave it as it is.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a fault takes the connection over")]
pub(super) struct TakeOver {
    /// The status that the client sees, if it sees one.
    pub(super) status: Option<StatusCode>,
    pub(super) plan: Plan,
}

#[derive(Clone, Debug)]
pub(super) enum Plan {
    Reset,
    Send {
        head: Bytes,
        body: Bytes,
        /// So many blanks follow the body.
        blanks: u64,
        after: After,
    },
}

/// What follows when all is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After {
    Close,
    /// Nothing, until the client loses its patience.
    Stall,
}

impl Plan {
    pub(super) fn garbage(bytes: &'static [u8]) -> Self {
        Self::Send {
            head: Bytes::from_static(bytes),
            body: Bytes::new(),
            blanks: 0,
            after: After::Close,
        }
    }
}

/// A connection, with or without TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The connection below TLS.
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl TakeOver {
    pub(super) fn without_answer(plan: Plan) -> Self {
        Self { status: None, plan }
    }

    /// Goes through with it, and closes the connection.
    pub(super) async fn carry_out(self, mut stream: impl Wire) {
        let outcome = match self.plan {
            // Closing a socket that must not linger sends a reset.
            Plan::Reset => stream.socket().set_zero_linger(),
            Plan::Send {
                head,
                body,
                blanks,
                after,
            } => timeout(LONGEST, send(&mut stream, &[&head, &body], blanks, after))
                .await
                .unwrap_or(Ok(())),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a client did not wait for the end of a fault");
        }
    }
}

async fn send(
    stream: &mut impl Wire,
    parts: &[&[u8]],
    mut blanks: u64,
    after: After,
) -> io::Result<()> {
    for part in parts {
        stream.write_all(part).await?;
    }
    while blanks > 0 {
        let some = usize::try_from(blanks).map_or(BLANKS.len(), |left| left.min(BLANKS.len()));
        stream.write_all(&BLANKS[..some]).await?;
        blanks -= some as u64;
    }
    stream.flush().await?;
    if after == After::Stall {
        return hang_up(stream).await;
    }
    stream.shutdown().await?;
    // A socket that is closed while something is still to be read from it is
    // reset, and the client could lose what it has not read yet.
    timeout(FAREWELL, hang_up(stream)).await.unwrap_or(Ok(()))
}

/// Waits until the client hangs up, whatever it sends before.
async fn hang_up(stream: &mut impl Wire) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
