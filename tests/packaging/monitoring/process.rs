//! A process under the script `keep`: it ends with the test, however that ends.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::files::path;
use aep_test_kit::PATIENCE;

/// One process, with a folder of its own. Both go with this value.
pub struct KeptProcess {
    keeper: Child,
    folder: PathBuf,
}

impl KeptProcess {
    /// Starts a binary in a new folder that holds these files, and where its log goes, too.
    pub fn start(
        binary: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        files: &[(&str, String)],
    ) -> Self {
        let folder = new_folder();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let log = File::create(folder.join("log")).unwrap();
        let keeper = Command::new(path("tests/control-plane/keep"))
            .arg(&folder)
            .arg(binary)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // It has to outlive signals to the whole group in order to clean up.
            .process_group(0)
            .spawn();
        let keeper = keeper.unwrap();
        Self { keeper, folder }
    }

    /// The address on loopback that a line of its log with these words names.
    pub async fn address(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::read_to_string(self.folder.join("log")).unwrap();
            let mut said = log.lines().filter(|line| line.contains(words));
            if let Some(address) = said.find_map(address) {
                return address;
            }
            assert!(Instant::now() < deadline, "no address in the log: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for KeptProcess {
    fn drop(&mut self) {
        // A line says that we are still here and tidy up ourselves. An error says that it has ended already.
        if let Some(mut input) = self.keeper.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("127.0.0.1:{port}"))
}

fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("monitoring-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
