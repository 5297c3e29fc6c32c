#!/usr/bin/env python3
"""torch_peer.py PROBLEM: PyTorch's side of tools/bench/compare.py, for the problems that ag_bench knows.

Serves like `ag_bench --serve`: says "ready"; then for each line of input runs a batch and prints its time per problem in seconds.
The number of threads comes from OMP_NUM_THREADS.
"""
import os
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.manual_seed(1)


def dims(text):
    return [int(float(n)) for n in text.split("x")]


def matmul(_, dtype, way, size):
    m, n, k = dims(size)
    kind = {"f32": torch.float32, "f64": torch.float64}[dtype]
    a = torch.rand((k, m) if way[0] == "t" else (m, k), dtype=kind)
    b = torch.rand((n, k) if way[1] == "t" else (k, n), dtype=kind)
    a, b = (a.t() if way[0] == "t" else a), (b.t() if way[1] == "t" else b)
    out = torch.empty((m, n), dtype=kind)
    return lambda: torch.matmul(a, b, out=out)


def elementwise(_, name, dtype, size, way=None):
    x = torch.rand(dims(size)[0], dtype={"f32": torch.float32, "f64": torch.float64}[dtype]) * 0.9 + 0.05
    y = torch.rand_like(x) + 0.1
    f = {"gelu": F.gelu, "silu": F.silu, "softplus": F.softplus}.get(name) or getattr(torch, name)
    if way == "backward":
        x.requires_grad_()

        def run():
            zero(x)
            f(x).backward(y)
        return run
    return (lambda: f(x, y)) if name in ("pow", "atan2", "hypot") else (lambda: f(x))


def random_numbers(_, name, dtype, size):
    n, kind = dims(size)[0], {"f32": torch.float32, "f64": torch.float64}[dtype]
    x = torch.full((n,), 2.0, dtype=kind)
    return {"uniform": lambda: torch.rand(n, dtype=kind), "normal": lambda: torch.randn(n, dtype=kind),
            "exponential": lambda: torch.empty(n, dtype=kind).exponential_(), "gamma": lambda: torch._standard_gamma(x),
            "bernoulli": lambda: torch.bernoulli(x, 0.25), "dropout": lambda: F.dropout(x, 0.5),
            "randint": lambda: torch.randint(0, 10, (n,)), "randperm": lambda: torch.randperm(n)}[name]


NETS = {"a": (4, (2, 4, 1), torch.nn.Tanh, False, False), "b": (150, (4, 16, 16, 3), torch.nn.ReLU, True, False),
        "c1": (64, (784, 128, 10), torch.nn.ReLU, True, True), "c2": (128, (784, 512, 512, 10), torch.nn.ReLU, True, False)}


def net(name):
    batch, widths, activation, classes, adam = NETS[name]
    layers = []
    for i in range(len(widths) - 1):
        layers.append(torch.nn.Linear(widths[i], widths[i + 1]))
        if i + 2 < len(widths):
            layers.append(activation())
    model = torch.nn.Sequential(*layers)
    x = torch.rand(batch, widths[0]) * 2 - 1
    t = torch.arange(batch) * 7 % widths[-1] if classes else torch.rand(batch, widths[-1])
    loss = torch.nn.CrossEntropyLoss() if classes else torch.nn.MSELoss()
    step = torch.optim.Adam(model.parameters()) if adam else torch.optim.SGD(model.parameters(), lr=0.01)

    def run():
        step.zero_grad(set_to_none=False)
        loss(model(x), t).backward()
        step.step()
    return run


def zero(*xs):
    for x in xs:
        if x.grad is not None:
            x.grad.zero_()


def chain_h():
    x, w, b = ((torch.rand(1000000) * 4 - 2).requires_grad_() for _ in range(3))

    def run():
        zero(x, w, b)
        (torch.tanh(x * w + b) * torch.sigmoid(x)).sum().backward()
    return run


def chain_i(wanted, nodes):
    x, p = torch.tensor(0.5, requires_grad=True), torch.tensor(1.0009765625, requires_grad=wanted)

    def run():
        zero(x, p)
        y = x
        for _ in range(nodes // 2):
            y = y * p + p
        y.backward()
    return run


def step(_, name, kind="constants"):
    if name == "h":
        return chain_h()
    if name == "i":
        return chain_i(kind == "wanted", 100000 if kind == "cold" else 1000)
    return net(name)


def rows(_, name, size):
    d = dims(size)
    if name == "transpose":
        x = torch.rand(*d)
        return lambda: x.t().contiguous()
    if name == "embedding":
        w, index, g = torch.rand(d[1], d[2], requires_grad=True), torch.randint(0, d[1], (d[0],)), torch.rand(d[0], d[2])
        return lambda: (zero(w), F.embedding(index, w).backward(g))
    x = torch.rand(*d, requires_grad=True)
    if name == "softmax_ce":
        t = torch.arange(d[0]) * 37 % d[1]
        return lambda: (zero(x), F.cross_entropy(x, t).backward())
    if name == "layer_norm":
        w, b, g = torch.rand(d[1], requires_grad=True), torch.rand(d[1], requires_grad=True), torch.rand(*d)
        return lambda: (zero(x, w, b), F.layer_norm(x, (d[1],), w, b).backward(g))
    if name == "scatter_add":
        src, index, g = torch.rand(*d, requires_grad=True), torch.randint(0, d[0], d), torch.rand(*d)
        return lambda: (zero(x, src), x.scatter_add(0, index, src).backward(g))
    axis = int(name[-1])
    g = torch.rand(d[1 - axis])
    if name.startswith("argmax"):
        x = x.detach()
        return lambda: x.argmax(axis)
    if name.startswith("max"):
        return lambda: (zero(x), x.amax(axis).backward(g))
    if name.startswith("logsumexp"):
        return lambda: (zero(x), x.logsumexp(axis).backward(g))
    return lambda: (zero(x), x.sum(axis).backward(g))


def main():
    words = sys.argv[1].split(":")
    run = {"matmul": matmul, "map": elementwise, "step": step, "rows": rows, "random": random_numbers}[words[0]](*words)
    units = 1
    if words[:2] == ["step", "i"]:
        units = 100000 if words[-1] == "cold" else 1000
    for _ in range(3):  # what is made once
        run()
    count, took = 1, 0  # of a batch that takes 20 ms
    while took < 0.02:
        start = time.perf_counter()
        for _ in range(count):
            run()
        took = time.perf_counter() - start
        count *= 1 if took >= 0.02 else 2
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(count):
            run()
        print("%.9g" % ((time.perf_counter() - start) / count / units), flush=True)


main()
