//! AVX-512, wherever this runs: a CPU that has it runs the test programs itself. For any other, bochs emulates one, and Debian's kernel
//! runs the test programs there, and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::arm::{COMPUTING, EXERCISED, differences, need_packages};
use crate::steps::{cargo, copy_folder, in_file, root, run};

/// The kernels that are tested. What they are held against needs no instruction set.
const KERNELS: &str = "avx512vnni";

/// The test programs: their package's folder, their name, and which of their tests, if not all.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("core/kernels", "matmul", ""),
    ("core/kernels", "rows", ""),
    ("core/engine", "golden_logits", "short_prompts"),
    ("core/sdk", "same_everywhere", ""),
];

/// What the test programs read.
const DATA: [&str; 4] = ["core/engine/tests/golden", "core/sdk/tests", "sample-apps/demo-model", "sample-apps/notes"];

/// Where the repository is in the emulated machine.
const GUEST_ROOT: &str = "repository";

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../avx512-packages.txt");

/// A machine that runs away ends after so many seconds. (bochs does not listen to gentler signals.)
const LIMIT: &str = "1800";

/// A program's exit status, as the emulated machine tells it: `ENDED package-folder program status`.
const ENDED: &str = "ENDED ";

/// The kernel's options. bochs has protection keys, compact states and fast short copies, but not all that Linux 6.1
/// expects with them.
const KERNEL_OPTIONS: &str = "rdinit=/init console=ttyS0 quiet mitigations=off tsc=reliable \
                              clearcpuid=pku,xsaves,xsavec,fsrm,erms";

/// Runs the tests.
pub fn test() -> Result<(), String> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err("programs built here do not run on x86-64 Linux".into());
    }
    let here = has_avx512();
    if !here {
        need_packages("AVX-512", PACKAGES.split_whitespace())?;
    }
    let programs = build()?;
    let started = Instant::now();
    let (said, how) = if here { (run_here(&programs)?, "run") } else { (emulate(&programs)?, "emulated") };
    let wrong = faults(&said);
    println!("{KERNELS} {how} in {} s", started.elapsed().as_secs());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\nxtask: ")) }
}

/// Whether this CPU has what the kernels need.
fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Runs the test programs on this CPU, prints what they say, and returns that.
fn run_here(programs: &[PathBuf]) -> Result<String, String> {
    let mut said = String::new();
    for (program, (package, name, tests)) in programs.iter().zip(PROGRAMS) {
        let folder = root().join(package);
        let mut command = Command::new(program);
        command.args(tests.split_whitespace()).arg("--test-threads=1").current_dir(&folder);
        command.env("SOTTO_KERNELS", KERNELS).env("CARGO_MANIFEST_DIR", &folder);
        let outcome = in_file(program, command.output())?;
        for stream in [outcome.stdout, outcome.stderr] {
            said.push_str(&String::from_utf8_lossy(&stream));
        }
        let _ = writeln!(said, "{ENDED}{package} {name} {}", outcome.status.code().unwrap_or(-1));
    }
    print!("{said}");
    Ok(said)
}

/// Runs the test programs in the emulator, and returns what they say.
fn emulate(programs: &[PathBuf]) -> Result<String, String> {
    let folder = root().join("target/avx512");
    in_file(&folder, fs::create_dir_all(&folder))?;
    make_disc(&folder, programs)?;
    boot(&folder)
}

/// Builds the test programs as `cargo xtask test` does, and says where they are.
fn build() -> Result<Vec<PathBuf>, String> {
    let mut command = cargo(&["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]);
    let messages = output(command.stderr(Stdio::inherit()))?;
    let programs = PROGRAMS.iter().map(|program| {
        let found = messages.lines().find_map(|message| executable(message, *program));
        found.ok_or_else(|| format!("cargo has not built {program:?}"))
    });
    programs.collect()
}

/// The path of a test program, if this message of cargo's is about that.
fn executable(message: &str, (package, name, _): (&str, &str, &str)) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let is_it = manifest.parent()?.ends_with(package)
        && message["target"]["name"] == name
        && message["target"]["kind"][0] == "test";
    if is_it { Some(message["executable"].as_str()?.into()) } else { None }
}

/// Makes the disc that the machine starts from.
fn make_disc(folder: &Path, programs: &[PathBuf]) -> Result<(), String> {
    let content = folder.join("disc");
    let loader = content.join("isolinux");
    copy(&linux(folder)?, &content.join("vmlinuz"))?;
    copy(Path::new("/usr/lib/ISOLINUX/isolinux.bin"), &loader.join("isolinux.bin"))?;
    copy(Path::new("/usr/lib/syslinux/modules/bios/ldlinux.c32"), &loader.join("ldlinux.c32"))?;
    let start = format!("default linux\nlabel linux\n kernel /vmlinuz\n append initrd=/files.gz {KERNEL_OPTIONS}\n");
    write(&loader.join("isolinux.cfg"), &start)?;
    files(&folder.join("files"), programs)?;
    let pack = "cd files && find . | busybox cpio -o -H newc | gzip -1 > ../disc/files.gz";
    run(Command::new("sh").args(["-c", pack]).current_dir(folder).stderr(Stdio::null()))?;
    let boot = ["-b", "isolinux/isolinux.bin", "-c", "isolinux/catalog", "-no-emul-boot", "-boot-info-table"];
    let mut xorriso = Command::new("xorriso");
    xorriso.args(["-as", "mkisofs", "-quiet", "-boot-load-size", "4", "-o"]).arg(folder.join("disc.iso")).args(boot);
    run(xorriso.arg(&content).stderr(Stdio::null()))
}

/// Debian's kernel for virtual machines, fetched once.
fn linux(folder: &Path) -> Result<PathBuf, String> {
    let (unpacked, name) = (folder.join("linux"), "vmlinuz-");
    let boot = unpacked.join("boot");
    if let Ok(kernel) = file_named(&boot, name) {
        return Ok(kernel);
    }
    let depends = output(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
    let newest = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let newest = newest.ok_or("apt has no linux-image-cloud-amd64: run apt-get update")?;
    run(Command::new("apt-get").args(["download", newest]).current_dir(folder))?;
    let package = file_named(folder, newest)?;
    run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    file_named(&boot, name)
}

fn file_named(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let mut entries = in_file(folder, fs::read_dir(folder))?.filter_map(Result::ok);
    let found = entries.find(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    found.map(|entry| entry.path()).ok_or_else(|| format!("{}: no {prefix}", folder.display()))
}

/// Lays out the files of the machine: busybox, the test programs, the libraries that they are linked with, what they read.
fn files(folder: &Path, programs: &[PathBuf]) -> Result<(), String> {
    if folder.exists() {
        in_file(folder, fs::remove_dir_all(folder))?;
    }
    for empty in ["proc", "dev", "tmp"] {
        let path = folder.join(empty);
        in_file(&path, fs::create_dir_all(&path))?;
    }
    copy(Path::new("/bin/busybox"), &folder.join("bin/busybox"))?;
    for (built, (package, name, _)) in programs.iter().zip(PROGRAMS) {
        let program = folder.join(GUEST_ROOT).join(package).join(name);
        copy(built, &program)?;
        run(Command::new("strip").arg(&program))?;
        for library in libraries(&output(Command::new("ldd").arg(built))?) {
            copy(Path::new(library), &folder.join(library.trim_start_matches('/')))?;
        }
    }
    for data in DATA {
        let from = root().join(data);
        in_file(&from, copy_folder(&from, &folder.join(GUEST_ROOT).join(data)))?;
    }
    let init = folder.join("init");
    write(&init, &script())?;
    run(Command::new("chmod").arg("+x").arg(&init))
}

/// The paths in what `ldd` says: `libc.so.6 => /lib/libc.so.6 (0x7f…)`, `/lib64/ld-linux-x86-64.so.2 (0x7f…)`.
fn libraries(ldd: &str) -> Vec<&str> {
    let paths = ldd.lines().filter_map(|line| line.split_whitespace().rev().nth(1));
    paths.filter(|path| path.starts_with('/')).collect()
}

/// What the machine does: each test program, then it turns itself off.
fn script() -> String {
    let mut script = String::from(
        "#!/bin/busybox sh\n\
         /bin/busybox mount -t proc proc /proc\n\
         /bin/busybox mount -t devtmpfs dev /dev\n",
    );
    let _ = writeln!(script, "export SOTTO_KERNELS={KERNELS}");
    for (package, name, tests) in PROGRAMS {
        let folder = format!("/{GUEST_ROOT}/{package}");
        let _ = writeln!(script, "cd {folder}; CARGO_MANIFEST_DIR={folder} ./{name} {tests} --test-threads=1");
        let _ = writeln!(script, "echo \"{ENDED}{package} {name} $?\"");
    }
    // The console is slow: what was said last would be lost.
    script + "/bin/busybox sleep 5\n/bin/busybox poweroff -f\n"
}

/// The machine, as bochs reads it, in a folder with its disc. Its console is a file.
const MACHINE: &str = "cpu: model=corei7_icelake_u, count=1, ips=50000000
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=console.txt
log: bochs.log
display_library: term
panic: action=fatal
";

/// Runs the machine, prints what it says while it does, and returns that.
fn boot(folder: &Path) -> Result<String, String> {
    let serial = folder.join("console.txt");
    write(&serial, "")?;
    write(&folder.join("machine"), MACHINE)?;
    // Debian's bochs has a debugger, which waits to be told.
    write(&folder.join("commands"), "continue\n")?;
    // Its screen wants a terminal, and opens another that nobody reads: it waits for ever once that is full, and must write
    // nothing while the tests run. On a terminal that cannot hide its cursor, the cursor does not blink.
    let bochs = format!("timeout --signal=KILL {LIMIT} bochs -q -f machine -rc commands");
    let mut machine = Command::new("script")
        .args(["--quiet", "--return", "--command", &bochs, "/dev/null"])
        .current_dir(folder)
        .env("TERM", "vt100")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start script: {error}"))?;
    let mut console = in_file(&serial, fs::File::open(&serial))?;
    let mut said = Vec::new();
    loop {
        let ended = machine.try_wait().map_err(|error| format!("cannot wait for bochs: {error}"))?;
        let already = said.len();
        in_file(&serial, console.read_to_end(&mut said))?;
        in_file(&serial, std::io::stdout().write_all(&said[already..]))?;
        if ended.is_some() {
            return Ok(String::from_utf8_lossy(&said).replace('\r', ""));
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// Which programs have not passed, and which packages have not said that they ran these kernels, or have run others.
fn faults(said: &str) -> Vec<String> {
    let passed = |package: &str, name: &str| said.contains(&format!("{ENDED}{package} {name} 0\n"));
    let failed = PROGRAMS.iter().filter(|(package, name, _)| !passed(package, name));
    let failed = failed.map(|(package, name, _)| format!("{package}: {name} has not passed on {KERNELS}"));
    // What a test says comes behind its name.
    let exercised = said.lines().filter_map(|line| Some(line[line.find(EXERCISED)?..].to_owned()));
    let expected = COMPUTING.map(|package| (package, KERNELS));
    failed.chain(differences(&expected, &exercised.collect::<Vec<_>>())).collect()
}

fn output(command: &mut Command) -> Result<String, String> {
    let outcome = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    if outcome.status.success() { Ok(said) } else { Err(format!("{command:?} ended with {}", outcome.status)) }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    in_file(path, fs::write(path, text))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if let Some(folder) = to.parent() {
        in_file(folder, fs::create_dir_all(folder))?;
    }
    in_file(from, fs::copy(from, to)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the machine says when all is well.
    fn all_well() -> Vec<String> {
        let exercised = COMPUTING.iter().map(|package| format!("test a ... {EXERCISED}{package} {KERNELS}"));
        let ended = PROGRAMS.iter().map(|(package, name, _)| format!("{ENDED}{package} {name} 0"));
        exercised.chain(ended).map(|line| line + "\n").collect()
    }

    #[test]
    fn what_failed_or_was_not_run_is_reported() {
        assert!(faults(&all_well().concat()).is_empty());
        for wrong in 0..COMPUTING.len() + PROGRAMS.len() {
            let mut said = all_well();
            said.remove(wrong);
            assert_eq!(faults(&said.concat()).len(), 1, "{said:?}");
            let mut said = all_well();
            said[wrong] = said[wrong].replace('\n', "1\n");
            // Of kernels with another name, both are said.
            assert_eq!(faults(&said.concat()).len(), if wrong < COMPUTING.len() { 2 } else { 1 }, "{said:?}");
        }
    }

    #[test]
    fn libraries_are_found_in_what_ldd_says() {
        let said =
            "\tlinux-vdso.so.1 (0x00007fb5)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x00007fb5)\n\t/lib64/ld.so.2 (0x0)\n";
        assert_eq!(libraries(said), ["/lib/x/libc.so.6", "/lib64/ld.so.2"]);
    }

    #[test]
    fn test_programs_are_found_in_what_cargo_says() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/x/core/sdk/Cargo.toml",
            "target":{"name":"packing","kind":["test"]},"executable":"/x/target/debug/deps/packing-1"}"#;
        let found = |program| executable(message, program);
        assert_eq!(found(("core/sdk", "packing", "")), Some("/x/target/debug/deps/packing-1".into()));
        assert_eq!(found(("core/engine", "packing", "")), None);
        assert_eq!(found(("core/sdk", "pack", "")), None);
        assert_eq!(executable("Compiling", ("core/sdk", "packing", "")), None);
    }
}
