"""Time and memory of one process, for measurements."""
import os
import subprocess
import sys

# A process keeps the largest memory of the one that it was forked from, so a small one starts it.
LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
                       file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status,
      usage.ru_oublock * 512)
"""


def run_once_writing(argv, status=0):
    """Seconds of wall and processor time, KiB of memory, and bytes that it had written to a disk, of
    one process that ends with @status."""
    launched = subprocess.run([sys.executable, "-I", "-S", "-c", LAUNCHER, *argv], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    wall, cpu, memory, waited, written = launched.stdout.splitlines()[-1].split()
    assert os.waitstatus_to_exitcode(int(waited)) == status, (waited, launched.stdout, launched.stderr)
    return float(wall), float(cpu), int(memory), int(written)


def run_once(argv, status=0):
    """The first three of run_once_writing()."""
    return run_once_writing(argv, status)[:3]
