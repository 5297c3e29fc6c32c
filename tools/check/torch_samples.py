#!/usr/bin/python3
"""torch_samples.py: PyTorch's own sample inputs through ag_call, compared with what PyTorch makes of them.

    tools/check/torch_samples.py [--limit SECONDS] [--reference] [--library FILE] [ENTRY ...]

PyTorch tests itself by op_db: for each of its functions an entry (add, nn.functional.pad.reflect) that makes sample inputs. Each
entry whose name, or an alias of it, ag_find_op knows is run with f64, f32, i64 and bool samples, and compared are

    value, dtype and shape   f64 and f32 to 1e-4 (f32) or 1e-10 (f64) of 1 + |value|, NaN and infinities exactly, others equal
    first gradients          f64 only, to 1e-9, of all inputs, from random seeds
    second gradients         f64 only, to 1e-8, of the inputs and the seeds

f64 and i64 samples also as inputs that are not contiguous: every second element of a longer tensor, and with axes reversed in
memory, but where a leaf is written. Of random ops only dtype, shape, and where NaN and infinities stand are compared; so, too, of empty_like, whose memory in
PyTorch holds anything: by a few of its samples one run differs from the next.

Adapted are names and places, not numbers: PyTorch's schemas name what a sample gives by position; a number in an operand's place
becomes a scalar; `count` and `output_size`, which PyTorch reads from its values, are told; where's condition, and the operands of
reflected operators, go to their places; arguments about memory and devices are dropped. nn.functional.unfold is our im2col.

Refused by design is one thing: a function of real numbers given i64 or bool, where PyTorch makes f32 of it and our message asks
for ag_cast. Printed are the samples that disagree: entry, how many, dtypes, reason and call of the first; the last line counts
samples agreeing, entries known and clean (nothing disagrees, something agrees), and refusals. The disagreements are to be read,
not to be zero: many are conventions. Exit status: 0 after a run, 1 if something is missing, or no ENTRY is known, 2 on bad usage.

Needs build/release and Debian's python3-torch (1.13), which is the system's Python's: hence the first line.
"""
import argparse
import collections
import os
import random
import re
import sys
import time
import types
import unittest
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # samples are small; read when torch is loaded
try:
    import numpy as np
    import torch
    # PyTorch's testing imports expecttest, which Debian has not; nothing of it is used to make samples
    sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=unittest.TestCase, ACCEPT=False,
                                                              assert_expected_inline=None))
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
except ImportError as error:
    sys.exit("torch_samples.py: %s; install python3-torch" % error)
sys.dont_write_bytecode = True  # nothing is left in the tree
from torch_call import NAMES, REFLECTED, Library, Refused, Tape, Unfit, adapt, bind, translate

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RANDOM = set("""rand_like randn_like randint_like normal bernoulli multinomial dropout dropout1d dropout2d dropout3d alpha_dropout
feature_alpha_dropout rrelu randn rand randint uniform exponential""".split())
OURS = {"nn.functional.unfold": "im2col", "masked.norm": "vector_norm"}  # names that mean something else here
WRITING = set("batch_norm instance_norm".split())  # their running statistics, which cannot be views
NO_GRADIENT = ("not differentiable", "not implemented", "in-place", "requires grad")  # in PyTorch's messages

# An entry of op_db and what answers it here: `name` and `op` are ours.
Entry = collections.namedtuple("Entry", "key info name op")
# Samples of an entry that disagree for one reason: the dtype of each; reason and call of the first.
Row = collections.namedtuple("Row", "dtypes why example")


def difference(a, b, tolerance):
    """In what a, ours, is not b: None, or words."""
    if a.dtype != b.dtype:
        return "dtype %s, torch %s" % (a.dtype, b.dtype)
    if a.shape != b.shape:
        return "shape %s, torch %s" % (tuple(a.shape), tuple(b.shape))
    if not a.dtype.is_floating_point:
        return None if torch.equal(a, b) else "values"
    a, b = a.double(), b.double()
    if not torch.equal(a.isnan(), b.isnan()):
        return "nan"
    if not torch.equal(a.isinf(), b.isinf()) or not torch.equal(a[a.isinf()], b[b.isinf()]):
        return "inf"
    a, b = a[a.isfinite()], b[b.isfinite()]
    off = (a - b).abs() / (1 + b.abs())
    return "values off by %.2g" % off.max() if bool((off > tolerance).any()) else None


def tensors_in(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, bool):
        return [torch.tensor(result)]
    if isinstance(result, (list, tuple)):
        return [a for a in result if isinstance(a, torch.Tensor)]
    raise Unfit("result %s" % type(result).__name__)


def on_tensors(f, v):
    if isinstance(v, torch.Tensor):
        return f(v)
    if isinstance(v, (list, tuple)) and any(isinstance(a, torch.Tensor) for a in v) and not hasattr(v, "_fields"):
        return type(v)(on_tensors(f, a) for a in v)
    return v


def torch_results(info, sample):
    """PyTorch's results and the arguments they came of, of which as many want a gradient as it can give."""
    wanted = lambda x: x.detach().clone().requires_grad_(x.dtype == torch.float64)
    positional = [on_tensors(wanted, v) for v in (sample.input, *sample.args)]
    named = {k: on_tensors(wanted, v) for k, v in sample.kwargs.items()}
    for first in (None, 1, 0):  # all arguments want one; only the first; none
        if first is not None:
            positional[first:] = [on_tensors(torch.Tensor.detach, v) for v in positional[first:]]
            named = {k: on_tensors(torch.Tensor.detach, v) for k, v in named.items()}
        try:
            torch.manual_seed(1)
            return tensors_in(info.op(*positional, **named)), positional, named
        except RuntimeError as e:
            if first == 0 or first is None and not any(words in str(e) for words in NO_GRADIENT):
                raise


def is_random(entry, results, positional, named):
    torch.manual_seed(77)
    again = tensors_in(entry.info.op(*positional, **named))
    return entry.name in RANDOM or bool(named.get("dropout_p")) or any(difference(a.detach(), b.detach(), 0) for a, b in zip(results, again))


def our_inputs(tape, inputs, layout):
    dtypes = [NAMES.get(i.dtype) for i in inputs if isinstance(i, torch.Tensor)]
    floats = [d for d in dtypes if d in ("f32", "f64")]
    dtype = floats[-1] if floats else dtypes[0] if dtypes else "f64"
    for i in inputs:
        yield i if i is None else tape.leaf(i, layout) if isinstance(i, torch.Tensor) else tape.scalar(i, dtype)


def our_results(tape, entry, inputs, attributes, n):
    if tape.library.has_attr(entry.op, "part"):
        return [tape.call(entry.name, inputs, ("%s part=%d" % (attributes, i)).strip()) for i in range(n)]
    y = tape.call(entry.name, inputs, attributes)
    if n == 1 and entry.name not in ("median", "nanmedian"):  # of several results, PyTorch's without dim gives the first
        return [y]
    return [tape.part(y, i) for i in range(n)]


def compare_all(what, tape, ours, theirs, tolerance):
    """What disagrees first, or None; a gradient that PyTorch leaves out is 0."""
    for k, (a, b) in enumerate(zip(ours, theirs)):
        if a is None:
            return "%s[%d] missing" % (what, k)
        why = difference(tape.value(a), b.detach(), tolerance)
        if why:
            return "%s[%d] %s" % (what, k, why)
    return None


def or_zeros(gradients, xs):
    return [torch.zeros_like(x) if g is None else g for g, x in zip(gradients, xs)]


def compare_gradients(tape, info, inputs, nodes, results, ys):
    """First and second gradients: what disagrees first, or None."""
    wanted = [isinstance(i, torch.Tensor) and i.requires_grad for i in inputs]
    xs, our_xs = [i for i, w in zip(inputs, wanted) if w], [n for n, w in zip(nodes, wanted) if w]
    pairs = [(r, y) for r, y in zip(results, ys) if r.requires_grad]
    if not pairs or not xs:
        return None
    results, ys = zip(*pairs)
    torch.manual_seed(5)
    seeds = [torch.randn_like(r).detach().requires_grad_() for r in results]
    our_seeds = [tape.leaf(s) for s in seeds]
    try:
        first = torch.autograd.grad(results, xs, seeds, create_graph=True, allow_unused=True)
    except RuntimeError as e:  # found out only now
        if "not implemented" in str(e):
            return None
        raise
    our_first = tape.gradients(ys, our_seeds, our_xs)
    why = compare_all("grad", tape, our_first, or_zeros(first, xs), 1e-9)
    live = [(g, ours) for g, ours in zip(first, our_first) if g is not None and g.requires_grad]
    if why or not live or not info.supports_gradgrad:
        return why
    first, our_first = zip(*live)
    again = [torch.randn_like(g).detach() for g in first]
    try:
        second = torch.autograd.grad(first, xs + seeds, again, allow_unused=True, retain_graph=True)
    except RuntimeError:  # PyTorch has no second gradient of some
        return None
    our_second = tape.gradients(our_first, [tape.leaf(v) for v in again], our_xs + our_seeds)
    return compare_all("second", tape, our_second, or_zeros(second, xs + seeds), 1e-8)


def compare_layout(library, entry, inputs, attributes, results, layout, dtype, is_random_):
    tape = Tape(library)
    tolerance = float("inf") if is_random_ else 1e-4 if dtype == torch.float32 else 1e-10
    try:
        nodes = list(our_inputs(tape, inputs, layout))
        ys = our_results(tape, entry, nodes, attributes, len(results))
        why = compare_all("value", tape, ys, results, tolerance)
        if not why and dtype == torch.float64 and not is_random_:
            why = compare_gradients(tape, entry.info, inputs, nodes, results, ys)
    except Refused as e:
        why = "refused: %s" % e
    finally:
        tape.free()
    return why and (why if layout == "plain" else "%s: %s" % (layout, why))


def described(name, inputs, attributes):
    words = ["%s%s" % (NAMES.get(i.dtype, i.dtype), tuple(i.shape)) if isinstance(i, torch.Tensor) else repr(i) for i in inputs]
    return "%s(%s) %s" % (name, " ".join(words), attributes)


def compare_sample(library, entry, dtype, sample):
    """What disagrees, or None, and the call in words."""
    results, positional, named = torch_results(entry.info, sample)
    is_random_ = is_random(entry, results, positional, named)
    inputs, attributes = translate(library, entry, adapt(entry.name, bind(entry, positional, named), results))
    views = dtype in (torch.float64, torch.int64) and entry.name not in WRITING
    for layout in ("plain", "strided", "reversed") if views else ("plain",):
        why = compare_layout(library, entry, inputs, attributes, results, layout, dtype, is_random_)
        if why:
            break
    return why, described(entry.name, inputs, attributes)


def known_entries(library, wanted):
    for info in op_db:
        key = ".".join(filter(None, (info.name, info.variant_test_name)))
        if wanted and key not in wanted and info.name not in wanted:
            continue
        base = info.name.split(".")[-1]
        names = [REFLECTED[base]] if base in REFLECTED else [OURS[info.name]] if info.name in OURS else [info.name, base]
        names += [getattr(alias, "name", alias) for alias in info.aliases]
        name = next(filter(library.find_op, names), None)
        if name:
            yield Entry(key, info, name, library.find_op(name))


def samples_of(info, dtype, reference):
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(3)
    try:
        return list((info.reference_inputs if reference else info.sample_inputs)("cpu", dtype))
    except Exception:  # some entries cannot make them of this dtype
        return []


def run_entry(library, entry, options):
    """Samples agreeing, refusals by design, and of what disagrees {reason without its shapes and sizes: Row}."""
    agreeing, refused, bad, start = 0, 0, {}, time.monotonic()
    for dtype in (d for d in (torch.float64, torch.float32, torch.int64, torch.bool) if d in entry.info.dtypes):
        for sample in samples_of(entry.info, dtype, options.reference):
            if time.monotonic() - start > options.limit:
                break
            try:
                why, example = compare_sample(library, entry, dtype, sample)
            except NotImplementedError:  # PyTorch has no kernel for this dtype
                continue
            except Exception as e:  # a sample that PyTorch itself or this program cannot take: shown, and the others go on
                why, example = "%s: %s" % (type(e).__name__, str(e)[:100]), str(sample)[:100].replace("\n", " ")
            if not why:
                agreeing += 1
            elif "ag_cast" in why and dtype in (torch.int64, torch.bool):
                refused += 1
            else:
                row = bad.setdefault(re.sub(r"\([\d, ]*\)|off by .*", "", why), Row([], why[:150], example))
                row.dtypes.append(NAMES[dtype])
    return agreeing, refused, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="of op_db: add, nn.functional.pad.reflect; without any: all")
    parser.add_argument("--limit", type=float, default=8, metavar="SECONDS", help="time for one entry (8)")
    parser.add_argument("--reference", action="store_true", help="PyTorch's larger set of samples, reference_inputs")
    parser.add_argument("--library", default=os.path.join(ROOT, "build/release/libautograd.so"), metavar="FILE")
    options = parser.parse_args()
    if not os.path.exists(options.library):
        sys.exit("torch_samples.py: %s is missing; build it: cmake --workflow --preset release" % options.library)
    torch.set_num_threads(1)
    library = Library(options.library)
    agreeing = known = clean = refusals = 0
    for entry in known_entries(library, options.entries):
        good, refused, bad = run_entry(library, entry, options)
        for row in sorted(bad.values(), key=lambda row: -len(row.dtypes)):
            dtypes = ",".join(dict.fromkeys(row.dtypes))
            print("%-32s %4d  %-16s %s: %s" % (entry.key, len(row.dtypes), dtypes, row.why, row.example), flush=True)
        agreeing, known, clean, refusals = agreeing + good, known + 1, clean + (good > 0 and not bad), refusals + refused
    print("%d samples agree; %d entries known, %d clean; %d refusals by design" % (agreeing, known, clean, refusals))
    sys.exit(0 if known else 1)


if __name__ == "__main__":
    main()
