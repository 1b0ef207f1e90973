//! Reading a configuration file: bounded, and with an error that says what to do.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::error::{ConfigError, Place, Problem, ProblemKind};

/// Largest configuration file, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Named by the operator: it must be there, and may be a pipe.
    Main,
    /// Found beside a module: it may be absent, and must be a regular file, so that nothing in the
    /// directory can make the gateway wait or read elsewhere.
    Sidecar,
}

/// The text of a file; empty for a sidecar that is not there.
pub(super) fn read(path: &Path, role: Role) -> Result<String, ConfigError> {
    let mut text = String::new();
    let read =
        open(path, role).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    let why = match read {
        Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_FILE_BYTES) => {
            return Ok(text);
        }
        Ok(_) => format!("it is larger than {MAX_FILE_BYTES} bytes, which no configuration is"),
        Err(error) => match (error.kind(), role) {
            (io::ErrorKind::NotFound, Role::Sidecar) => return Ok(String::new()),
            (io::ErrorKind::NotFound, Role::Main) => {
                "there is no such file; check the path given with --config or SPOREGATE_CONFIG"
                    .to_owned()
            }
            (io::ErrorKind::InvalidData, _) => "it is not UTF-8 text".to_owned(),
            (io::ErrorKind::PermissionDenied, _) => {
                "permission denied; let the user that runs the gateway read it".to_owned()
            }
            (io::ErrorKind::IsADirectory, _) => "it is a directory, not a file".to_owned(),
            _ => error.to_string(),
        },
    };
    let place = Place::File(path.to_owned());
    Err(Problem { place, kind: ProblemKind::Unreadable { why } }.into())
}

fn open(path: &Path, role: Role) -> io::Result<File> {
    if role == Role::Sidecar && !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file; put the file itself here"));
    }
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_or_the_reason_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let most = usize::try_from(MAX_FILE_BYTES).unwrap();
        assert_eq!(read(&at("ok", b"a = 1"), Role::Main).unwrap(), "a = 1");
        assert_eq!(read(&at("most", &vec![b' '; most]), Role::Main).unwrap().len(), most);
        for (path, reason) in [
            (dir.path().join("none"), "there is no such file"),
            (dir.path().to_owned(), "it is a directory"),
            (at("latin", b"a = \"\xfc\""), "it is not UTF-8"),
            (at("large", &vec![b' '; most + 1]), "it is larger than 1048576 bytes"),
        ] {
            let error = read(&path, Role::Main).unwrap_err().to_string();
            let begin = format!("{}: cannot be read: {reason}", path.display());
            assert!(error.starts_with(&begin), "{error}");
        }
        assert_eq!(read(&dir.path().join("none"), Role::Sidecar).unwrap(), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_sidecar_is_a_regular_file() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "a = 1").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link, Role::Main).unwrap(), "a = 1");
        for path in [&link, dir.path()] {
            let error = read(path, Role::Sidecar).unwrap_err().to_string();
            assert!(
                error.ends_with("it is not a regular file; put the file itself here"),
                "{error}"
            );
        }
    }
}
