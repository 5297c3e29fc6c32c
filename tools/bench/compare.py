#!/usr/bin/env python3
"""compare.py: ag_bench against other libraries, interleaved in one run.

    tools/bench/compare.py [--threads 1,2] [--rounds 15] [--isa NAME] [--markdown] [PROBLEM ...]

Both sides are processes that set the problem up and then run a batch of about 20 ms whenever they are asked. They are asked in
turn; whoever is not asked stands still (SIGSTOP), so that no waiting thread of one side disturbs the other. What is printed are
medians over the rounds, and how many times faster autograd is: above 1 it wins. Needs build/release. Without problems: steps,
rows, maps and sgemm, from which the README's table is taken.

Peers, from Debian's packages, each optional: python3-torch (PyTorch), libopenblas-dev, libdnnl-dev (oneDNN), libblis-dev. They run
as fast as they can: memory is kept, not given back to the system; OpenMP's threads stay on their processors; PyTorch gets the
OpenBLAS that shares OpenMP's threads (libopenblas0-openmp) rather than one with threads of its own; BLIS, which may not know the
processor, is told of its vectors.
"""
import argparse
import math
import os
import signal
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BENCH = os.path.join(ROOT, "build/release/tools/bench/ag_bench")
BLIS = "/usr/lib/x86_64-linux-gnu/blis-openmp"
OPENBLAS_OPENMP = "/usr/lib/x86_64-linux-gnu/openblas-openmp"
PEERS = os.path.join(ROOT, "build/peers")
AVX512 = os.path.exists("/proc/cpuinfo") and "avx512f" in open("/proc/cpuinfo").read()

SHAPES = """nn:32x32x32 nn:64x64x64 nn:128x128x128 nn:256x256x256 nn:512x512x512 nn:1024x1024x1024 nn:2048x2048x2048
nn:64x128x784 nn:64x768x768 nn:32x1024x1024 nn:256x3072x768 nt:32x32x32 nt:256x256x256 nt:1024x1024x1024
tn:32x32x32 tn:784x128x64 tn:1024x1024x1024""".split()
SGEMM = ["matmul:f32:" + s for s in SHAPES]
DGEMM = ["matmul:f64:nn:%dx%dx%d" % (n, n, n) for n in (32, 64, 128, 256, 512, 1024)]
MAPS = ["map:%s:f32:1e6" % f for f in ("exp", "log", "tanh", "sigmoid", "erf", "sin", "gelu", "sqrt")]
MAPS += ["map:gelu:f32:1e6:backward"]
STEPS = ["step:" + s for s in ("a", "b", "c1", "c2", "h", "i", "i:wanted", "i:cold")]
ROWS = ["rows:" + s for s in ("softmax_ce:256x10000", "layer_norm:4096x768", "sum0:4096x1024", "sum1:4096x1024",
                              "transpose:4096x4096", "embedding:8192x50000x128", "max0:4096x1024", "max1:4096x1024",
                              "argmax0:4096x1024", "argmax1:4096x1024", "logsumexp0:4096x1024", "logsumexp1:4096x1024",
                              "scatter_add:4096x1024")]
RANDOM = ["random:%s:f32:1e6" % f for f in ("uniform", "normal", "exponential", "bernoulli", "dropout", "randint", "randperm",
                                            "gamma")]
SETS = {"sgemm": SGEMM, "dgemm": DGEMM, "maps": MAPS, "steps": STEPS, "rows": ROWS, "random": RANDOM}


class Side:
    def __init__(self, name, command, threads, **more):
        env = dict(os.environ, AG_THREADS=str(threads), OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                   BLIS_NUM_THREADS=str(threads), OMP_PROC_BIND="true", MALLOC_TRIM_THRESHOLD_="1000000000",
                   MALLOC_MMAP_MAX_="0", **more)
        for name_ in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # let the peer choose its best kernels
            if name_ not in more:
                env.pop(name_, None)
        self.name, self.times = name, []
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(name)
        os.kill(self.process.pid, signal.SIGSTOP)

    def ask(self):
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.times.append(float(self.process.stdout.readline()))
        os.kill(self.process.pid, signal.SIGSTOP)

    def end(self):
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()

    def median(self):
        return statistics.median(self.times)


def build_peers():
    """By the name of their library, the programs that could be built and the Python that has PyTorch."""
    os.makedirs(PEERS, exist_ok=True)
    made = {}
    for name, flags in (("OpenBLAS", ["-I/usr/include/x86_64-linux-gnu/openblas-pthread", "-lopenblas"]),
                        ("oneDNN", ["-DPEER_DNNL", "-ldnnl"]),
                        ("BLIS", ["-I/usr/include/x86_64-linux-gnu/blis-openmp", "-L" + BLIS, "-Wl,-rpath," + BLIS, "-lblis"])):
        program = os.path.join(PEERS, name)
        command = ["cc", "-O2", os.path.join(HERE, "peers/blas_peer.c"), "-o", program] + flags
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            made[name] = program
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0:
            made["PyTorch"] = python
    return made


def sides_of(problem, threads, isa, peers):
    more = {"AG_ISA": isa} if isa else {}
    sides = [Side("autograd", [BENCH, "--serve", problem], threads, **more)]
    if problem.startswith("matmul:"):
        blas = {n: p for n, p in peers.items() if n != "PyTorch"}
        kernels = {"OpenBLAS": {"OPENBLAS_CORETYPE": "Haswell"} if isa == "avx2" else {},
                   "BLIS": {"BLIS_ARCH_TYPE": "skx" if AVX512 and isa != "avx2" else "haswell"}}
        for name, program in blas.items():
            if problem.startswith("matmul:f64") and name == "oneDNN":
                continue  # it has no dgemm
            sides.append(Side(name, [program, problem], threads, **kernels.get(name, {})))
    elif "PyTorch" in peers:
        blas = {"LD_LIBRARY_PATH": OPENBLAS_OPENMP} if os.path.isdir(OPENBLAS_OPENMP) else {}
        command = [peers["PyTorch"], os.path.join(HERE, "peers/torch_peer.py"), problem]
        sides.append(Side("PyTorch", command, threads, **blas))
    return sides


def text(seconds):
    for unit, size in (("ns", 1e-9), ("µs", 1e-6)):
        if seconds < 999.5 * size:
            return "%.3g %s" % (seconds / size, unit)
    return "%.3g ms" % (seconds * 1e3)


def compare(problem, threads, options, peers):
    sides = sides_of(problem, threads, options.isa, peers)
    for _ in range(options.rounds):
        for side in sides:
            side.ask()
    for side in sides:
        side.end()
    own = sides[0].median()
    ratios = {s.name: s.median() / own for s in sides[1:]}
    row = [problem, "%dT" % threads, text(own)] + ["%s %s (%.2f)" % (s.name, text(s.median()), ratios[s.name]) for s in sides[1:]]
    print(("| %s |" % " | ".join(row)) if options.markdown else "%-32s %s  %9s   %s" % (*row[:3], "   ".join(row[3:])), flush=True)
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", help="as ag_bench takes them (step:a), or sets of them: " + ", ".join(SETS))
    parser.add_argument("--threads", default="1", help="numbers of threads, one after the other: 1,2")
    parser.add_argument("--rounds", type=int, default=15, help="how often each side is asked")
    parser.add_argument("--isa", default="", help="our instruction set, as AG_ISA; with avx2 OpenBLAS and BLIS have theirs, too")
    parser.add_argument("--markdown", action="store_true", help="rows of a table")
    options = parser.parse_args()
    if not os.path.exists(BENCH):
        sys.exit("compare.py: %s is missing; build it: cmake --preset release && cmake --build --preset release" % BENCH)
    peers = build_peers()
    problems = sum((SETS.get(p, [p]) for p in options.problems or ["steps", "rows", "maps", "sgemm"]), [])
    for threads in map(int, options.threads.split(",")):
        all_ratios = {}
        for problem in problems:
            for name, ratio in compare(problem, threads, options, peers).items():
                all_ratios.setdefault((problem.split(":")[0], name), []).append(ratio)
        for (family, name), ratios in all_ratios.items():
            mean = math.exp(statistics.fmean(map(math.log, ratios)))
            print("%s, %dT, against %s: geometric mean %.2f, least %.2f" % (family, threads, name, mean, min(ratios)))


main()
