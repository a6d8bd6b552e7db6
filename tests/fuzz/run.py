"""Fuzzes every target of `src/bin`, two at a time, and prints what came of it.

Usage: run.py [TARGET...]. FACTEUR_FUZZ_MINUTES (60) are shared by all targets. Seeds, grown corpora, logs and findings stay
in target/fuzz. Ends with 1 when a target has a finding."""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import seeds  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
HERE = TOP / "tests/fuzz"
OUT = TOP / "target/fuzz"
AT_ONCE = 2
# What cargo-fuzz sets, without the sanitizers that stable Rust has not.
FLAGS = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
]
# Of one input: longer than this is a finding.
SECONDS_MAX = 10
MEGABYTES_MAX = 1024
# Octets of an input; the longer ones are where a structure takes room.
LENGTH_MAX = 4096
LENGTHS = {"mime": 16384, "spam_view": 16384, "plan": 32768, "imap_session": 2048, "domain": 300, "address": 400}


@dataclasses.dataclass
class Result:
    target: str
    executions: int = 0
    per_second: int = 0
    coverage: int = 0
    findings: list = dataclasses.field(default_factory=list)


def triple():
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", version, re.M).group(1)


def build(host):
    """With a target named, build scripts and derive macros are not instrumented."""
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", HERE / "Cargo.toml"]
    command += ["--target-dir", OUT / "build", "--target", host]
    # In the tree, for the flags of SQLite in .cargo/config.toml.
    subprocess.run(command, check=True, cwd=TOP, env={**os.environ, "RUSTFLAGS": " ".join(FLAGS)})
    return OUT / "build" / host / "release"


def folder(*parts):
    path = OUT.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def still_found(program, findings):
    """Findings of earlier runs that are findings yet; the others are seeds from now on."""
    found = []
    for file in sorted(findings.iterdir()):
        options = [f"-timeout={SECONDS_MAX}", f"-rss_limit_mb={MEGABYTES_MAX}", f"-artifact_prefix={folder('again')}/"]
        if subprocess.run([program, *options, file], capture_output=True, check=False).returncode != 0:
            found.append(file)
        else:
            file.rename(folder("corpus", program.name) / file.name)
    return found


def fuzz(program, seconds):
    target = program.name
    result = Result(target)
    findings = folder("findings", target)
    result.findings = still_found(program, findings)
    before = set(findings.iterdir())
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SECONDS_MAX}",
        f"-rss_limit_mb={MEGABYTES_MAX}",
        f"-max_len={LENGTHS.get(target, LENGTH_MAX)}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    words = OUT / "dict" / target
    if words.exists():
        options.append(f"-dict={words}")
    log = folder("log") / target
    with log.open("wb") as file:
        command = [program, *options, folder("corpus", target), folder("seeds", target)]
        code = subprocess.run(command, stdout=file, stderr=file, check=False).returncode
    text = log.read_text(errors="replace")
    number = lambda pattern: int((re.findall(pattern, text) or ["0"])[-1])
    result.executions = number(r"stat::number_of_executed_units: *(\d+)")
    result.per_second = number(r"stat::average_exec_per_sec: *(\d+)")
    result.coverage = number(r" cov: (\d+)")
    result.findings += sorted(set(findings.iterdir()) - before)
    if (code != 0 or result.executions == 0) and not result.findings:
        # It did not even begin, or died without an input to show.
        result.findings.append(log)
    print(f"{target}: {result.executions} executions, {len(result.findings)} findings", flush=True)
    return result


def table(results):
    print(f"\n{'target':<16}{'executions':>12}{'exec/s':>9}{'coverage':>10}{'findings':>10}")
    for it in results:
        print(f"{it.target:<16}{it.executions:>12}{it.per_second:>9}{it.coverage:>10}{len(it.findings):>10}")
    print(f"{'all':<16}{sum(it.executions for it in results):>12}")


def main():
    host = triple()
    programs = build(host)
    known = sorted(file.stem for file in (HERE / "src/bin").glob("*.rs"))
    wanted = sys.argv[1:] or known
    if unknown := set(wanted) - set(known):
        sys.exit(f"no target {', '.join(sorted(unknown))}; there are: {' '.join(known)}")
    seeds.plant(OUT, wanted)
    minutes = float(os.environ.get("FACTEUR_FUZZ_MINUTES", "60"))
    seconds = max(1, int(minutes * 60 * min(AT_ONCE, len(wanted)) / len(wanted)))
    print(f"{len(wanted)} targets, {seconds} s each, {AT_ONCE} at a time", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda target: fuzz(programs / target, seconds), wanted))
    table(results)
    bad = [it for it in results if it.findings]
    for it in bad:
        print(f"\n{it.target}: log {OUT / 'log' / it.target}")
        for finding in it.findings:
            print(f"    {programs / it.target} {finding}")
    # As `cargo test` says it, so that `tests/run` counts targets.
    print(f"\ntest result: {'FAILED' if bad else 'ok'}. {len(results) - len(bad)} passed; {len(bad)} failed;")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
