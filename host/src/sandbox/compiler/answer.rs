//! What the compiler says when it is done, and how it goes through a pipe: the length of a head in
//! JSON, the head, and, if there is code, as many bytes of it as the head says.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::job::Types;
use crate::sandbox::artifact::Artifact;
use crate::sandbox::load_error::LoadError;

/// What was made of a file.
pub(super) enum Answer {
    Code(Artifact),
    Types(Types),
}

#[derive(Serialize, Deserialize)]
enum Head {
    Code { bytes: u64 },
    Types(Types),
    Refused(LoadError),
}

/// Why an answer is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It is not whole, or something else.
    Garbled,
    /// It is larger than it may be.
    TooLarge,
}

pub(super) fn write(answer: &Result<Answer, LoadError>, to: &mut impl Write) -> io::Result<()> {
    // By reference: what is refused may be quoted at length.
    #[derive(Serialize)]
    enum Head<'a> {
        Code { bytes: u64 },
        Types(&'a Types),
        Refused(&'a LoadError),
    }
    let (head, code) = match answer {
        Ok(Answer::Code(artifact)) => {
            (Head::Code { bytes: artifact.bytes().len() as u64 }, artifact.bytes())
        }
        Ok(Answer::Types(types)) => (Head::Types(types), &[][..]),
        Err(error) => (Head::Refused(error), &[][..]),
    };
    let head = serde_json::to_vec(&head)?;
    to.write_all(&(head.len() as u64).to_le_bytes())?;
    to.write_all(&head)?;
    to.write_all(code)?;
    to.flush()
}

/// Reads an answer whose parts have at most `limit` bytes each.
pub(super) fn read(
    from: &mut impl Read,
    limit: u64,
) -> Result<Result<Answer, LoadError>, Unanswered> {
    let mut length = [0; 8];
    from.read_exact(&mut length).map_err(|_| Unanswered::Garbled)?;
    let head = exactly(from, u64::from_le_bytes(length), limit)?;
    Ok(match serde_json::from_slice(&head).map_err(|_| Unanswered::Garbled)? {
        Head::Code { bytes } => Ok(Answer::Code(Artifact::trusted(exactly(from, bytes, limit)?))),
        Head::Types(types) => Ok(Answer::Types(types)),
        Head::Refused(error) => Err(error),
    })
}

fn exactly(from: &mut impl Read, bytes: u64, limit: u64) -> Result<Vec<u8>, Unanswered> {
    if bytes > limit {
        return Err(Unanswered::TooLarge);
    }
    let mut read = Vec::new();
    // Grows with what comes: a length that is only claimed takes no memory.
    from.take(bytes).read_to_end(&mut read).map_err(|_| Unanswered::Garbled)?;
    if read.len() as u64 == bytes { Ok(read) } else { Err(Unanswered::Garbled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(answer: &Result<Answer, LoadError>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(answer, &mut bytes).unwrap();
        bytes
    }

    fn code() -> Vec<u8> {
        sent(&Ok(Answer::Code(Artifact::trusted(b"machine code".to_vec()))))
    }

    #[test]
    fn an_answer_arrives_as_it_was_given() {
        let Ok(Ok(Answer::Code(artifact))) = read(&mut &code()[..], 1_000) else { panic!() };
        assert_eq!(artifact.bytes(), b"machine code");
        let refused = sent(&Err(LoadError::Invalid("no \"end\"\n".into())));
        let Ok(Err(error)) = read(&mut &refused[..], 1_000) else { panic!() };
        assert!(matches!(error, LoadError::Invalid(text) if text == "no \"end\"\n"));
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = code();
        for length in 0..whole.len() {
            assert_eq!(read(&mut &whole[..length], 1_000).err(), Some(Unanswered::Garbled));
        }
        assert_eq!(
            read(&mut &b"Killed by something\n"[..], 1_000).err(),
            Some(Unanswered::TooLarge)
        );
    }

    #[test]
    fn an_answer_above_the_limit_is_not_read() {
        let limit = 20;
        let large = sent(&Ok(Answer::Code(Artifact::trusted(vec![0; 21]))));
        assert_eq!(read(&mut &large[..], limit).err(), Some(Unanswered::TooLarge));
    }
}
