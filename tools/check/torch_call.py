"""torch_call.py: a call of PyTorch's as a call of ours, for torch_samples.py.

    sample -- bind --> (PyTorch's name, value) ... -- adapt, translate --> inputs, attributes' text -- Tape.call --> node

    torch tensor -- Tape.leaf --> node -- Tape.call("matmul", ...) --> node -- Tape.value --> torch tensor

A Tape owns its nodes (plain addresses); free() ends them. What the library refuses raises Refused with its message, what cannot be
said to it at all (complex numbers, rank 9) raises Unfit.
"""
import ctypes as C
import inspect
import types

import numpy as np
import torch

P = C.c_void_p
MAX_RANK = 8
NAMES = {torch.float32: "f32", torch.float64: "f64", torch.int64: "i64", torch.bool: "bool"}
NUMPY = {"f32": np.float32, "f64": np.float64, "i64": np.int64, "bool": np.bool_}
DROPPED = set("""memory_format layout device pin_memory requires_grad generator out names inplace _stacklevel size_average
reduce_old check_indices""".split())
OPERANDS = set("other exponent self input min max values value weight p q mean std".split())
REFLECTED = {"__radd__": "add", "__rsub__": "rsub", "__rmul__": "mul", "__rdiv__": "div", "__rpow__": "pow",
             "__rmod__": "remainder", "__rmatmul__": "matmul", "__rand__": "bitwise_and", "__ror__": "bitwise_or",
             "__rxor__": "bitwise_xor"}


class Refused(Exception):
    pass


class Unfit(Exception):
    pass


class Shape(C.Structure):
    _fields_ = [("rank", C.c_int), ("dim", C.c_int64 * MAX_RANK)]


def shape_from(sizes):
    shape = Shape(rank=len(sizes))
    shape.dim[:len(sizes)] = sizes
    return shape


def pointers(nodes):
    return (P * max(1, len(nodes)))(*nodes)


PROTOTYPES = {
    "ag_tape_new": (P,), "ag_tape_free": (None, P), "ag_tape_message": (C.c_char_p, P), "ag_tape_clear": (None, P),
    "ag_leaf": (P, P, C.c_int, P, Shape, C.c_uint), "ag_scalar": (P, P, C.c_int, C.c_double),
    "ag_dtype_of": (C.c_int, P), "ag_shape_of": (Shape, P), "ag_dtype_name": (C.c_char_p, C.c_int), "ag_read": (C.c_bool, P, P),
    "ag_call": (P, P, C.c_char_p, C.POINTER(P), C.c_int, C.c_char_p), "ag_part": (P, P, C.c_int),
    "ag_gradients": (C.c_bool, C.POINTER(P), C.POINTER(P), C.c_int, C.POINTER(P), C.c_int, C.POINTER(P)),
    "ag_find_op": (P, C.c_char_p), "ag_find_attr": (P, P, C.c_char_p),
    "ag_op_input_name": (C.c_char_p, P, C.c_int, C.c_char_p, C.c_size_t),
}


class Library:
    def __init__(self, path):
        self.c = C.CDLL(path)
        for name, (result, *arguments) in PROTOTYPES.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments
        self.dtypes = {self.c.ag_dtype_name(i).decode(): i for i in range(len(NUMPY))}

    def find_op(self, name):
        return self.c.ag_find_op(name.encode())

    def has_attr(self, op, name):
        return bool(self.c.ag_find_attr(op, name.encode()))

    def input_names(self, op):
        names, buffer = [], C.create_string_buffer(64)
        while len(names) < 8:  # an op of any number of inputs has names without end
            name = self.c.ag_op_input_name(op, len(names), buffer, len(buffer))
            if not name:
                break
            names.append(name.decode())
        return names


class Tape:
    def __init__(self, library):
        self.library, self.c = library, library.c
        self.tape = self.c.ag_tape_new()

    def free(self):
        self.c.ag_tape_free(self.tape)

    def checked(self, result):
        if not result:
            raise Refused(self.c.ag_tape_message(self.tape).decode())
        return result

    def from_array(self, array):
        array = np.ascontiguousarray(array).reshape(array.shape)  # ascontiguousarray makes a scalar a vector
        dtype = {np.dtype(t): name for name, t in NUMPY.items()}[array.dtype]
        return self.checked(self.c.ag_leaf(self.tape, self.library.dtypes[dtype], array.ctypes.data, shape_from(array.shape), 0))

    def leaf(self, tensor, layout="plain"):
        """A node of the tensor's value; strided: every second of a longer one along the last axis; reversed: axes in memory."""
        if tensor.dtype not in NAMES:
            raise Unfit("dtype %s" % tensor.dtype)
        if tensor.dim() > MAX_RANK:
            raise Unfit("rank")
        empty = np.zeros(tuple(tensor.shape), NUMPY[NAMES[tensor.dtype]])
        array = tensor.detach().resolve_neg().numpy() if tensor.numel() else empty
        if layout == "strided" and array.ndim:
            longer = np.zeros(array.shape[:-1] + (2 * array.shape[-1],), array.dtype)
            longer[..., ::2] = array
            return self.call("slice", [self.from_array(longer)], "axis=-1 step=2")
        if layout == "reversed" and array.ndim > 1:
            axes = ",".join(map(str, reversed(range(array.ndim))))
            return self.call("permute", [self.from_array(array.transpose())], "axes=(%s)" % axes)
        return self.from_array(array)

    def scalar(self, value, dtype):
        return self.checked(self.c.ag_scalar(self.tape, self.library.dtypes[dtype], float(value)))

    def call(self, name, inputs, attributes):
        return self.checked(self.c.ag_call(self.tape, name.encode(), pointers(inputs), len(inputs), attributes.encode()))

    def part(self, node, i):
        """Another result of the node's op, or None where it has no so many."""
        found = self.c.ag_part(node, i)
        if not found and i:
            self.c.ag_tape_clear(self.tape)
            return None
        return self.checked(found)

    def value(self, node):
        dtype = self.c.ag_dtype_name(self.c.ag_dtype_of(node)).decode()
        shape = self.c.ag_shape_of(node)
        array = np.empty(tuple(shape.dim[:shape.rank]), NUMPY[dtype])
        self.checked(self.c.ag_read(node, array.ctypes.data))
        return torch.from_numpy(array)

    def gradients(self, ys, seeds, xs):
        found = pointers([None] * len(xs))
        self.checked(self.c.ag_gradients(pointers(ys), pointers(seeds), len(ys), pointers(xs), len(xs), found))
        return list(found)[:len(xs)]


def is_int(v):
    return isinstance(v, int) and not isinstance(v, bool)


def is_list(v, kinds):
    return isinstance(v, (list, tuple)) and all(isinstance(a, kinds) for a in v)


FITS = {
    "Tensor": lambda v: isinstance(v, torch.Tensor),
    "List[Tensor]": lambda v: is_list(v, torch.Tensor),
    "List[Optional[Tensor]]": lambda v: is_list(v, torch.Tensor),
    "number": lambda v: isinstance(v, (int, float)),
    "int": lambda v: is_int(v) or isinstance(v, (torch.dtype, torch.layout, torch.memory_format)),
    "float": lambda v: is_int(v) or isinstance(v, float),
    "bool": lambda v: isinstance(v, bool),
    "str": lambda v: isinstance(v, str),
    "List[int]": lambda v: is_int(v) or is_list(v, int),
    "List[float]": lambda v: is_list(v, (int, float)),
}


def fits(v, kind):
    if kind.startswith("Optional["):
        if v is None:
            return True
        kind = kind[len("Optional["):-1]
    return v is not None and FITS.get(kind, lambda v: not isinstance(v, torch.Tensor))(v)


def bind_schema(schema, positional, named):
    """The arguments as (name, value), or None where the schema is not the one called."""
    named, bound, i = dict(named), [], 0
    for argument in schema.arguments:
        kind, rest = str(argument.type), list(positional[i:])
        other = {"self": "input", "dim": "axis"}.get(argument.name)
        key = argument.name if argument.name in named else other
        if rest and not argument.kwarg_only:
            spread = kind == "List[int]" and len(rest) > 1 and all(map(is_int, rest)) or kind == "List[Tensor]" and is_list(
                rest, torch.Tensor)
            key, value = argument.name, rest if spread else rest[0]
            i = len(positional) if spread else i + 1
        elif key in named:
            value = named.pop(key)
        elif argument.has_default_value():
            continue
        else:
            return None
        if not fits(value, kind):
            return None
        bound.append((key, value))
    return None if i < len(positional) or named else bound


def bind_python(function, positional, named):
    try:
        signature = inspect.signature(function)
        arguments = signature.bind(*positional, **named).arguments
    except (TypeError, ValueError):
        return None
    bound = []
    for key, value in arguments.items():
        kind = signature.parameters[key].kind
        if kind == inspect.Parameter.VAR_KEYWORD:
            bound += value.items()
        elif kind == inspect.Parameter.VAR_POSITIONAL:
            bound.append((key, value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else list(value)))
        else:
            bound.append((key, value))
    return bound


def is_public(function):
    return (type(function) is types.FunctionType and function.__name__ != "<lambda>" and function.__module__.startswith("torch")
            and "testing" not in function.__module__)


def bind(entry, positional, named):
    """The sample's arguments as (PyTorch's name, value)."""
    info = entry.info
    places = {"eye": ["n", "m"], "nonzero": ["self"], "nn.functional.logsigmoid": ["input"]}.get(info.name)  # have no schema
    if places:
        return list(zip(places, positional)) + list(named.items())
    function = getattr(torch.nn.functional, "_" + entry.name, info.op)  # behind what return_indices chooses between two of
    bound = bind_python(function, positional, named) if is_public(function) else None
    for name in (info.name.replace(".", "_"), entry.name, "special_" + entry.name, "linalg_" + entry.name):
        for schema in torch._C._jit_get_schemas_for_operator("aten::" + name) if bound is None else []:
            if "_out" not in schema.overload_name and schema.overload_name != "out" and "Dimname" not in str(schema):
                bound = bind_schema(schema, positional, named)
                if bound is not None:
                    break
    if bound is None:
        bound = bind_python(info.op, positional, named)
    if bound is None:
        raise Unfit("signature")
    return bound


def adapt(name, arguments, results):
    """What PyTorch reads from values, or says in another form."""
    d = dict(arguments)
    d.pop("compute_mode", None)
    d.pop("need_attn_weights", None)
    if d.get("mask", d) is not d and d.get("dim") == ():  # to torch.masked every axis
        d.pop("dim")
    for key in ("fweights", "aweights"):
        if isinstance(d.get(key), torch.Tensor) and d[key].dtype == torch.int32:
            d[key] = d[key].long()
    if is_list(d.get("output_size"), (int, type(None))):  # None: as it is
        d["output_size"] = [-1 if size is None else size for size in d["output_size"]]
    if name in ("masked_select", "flatnonzero", "nonzero", "argwhere"):
        d["count"] = results[0].shape[0]
        d.pop("as_tuple", None)
    if name == "bincount":
        d["minlength"] = results[0].shape[0]
    if d.get("out_int32") is False or "count" in d:
        d.pop("out_int32", None)
    if name == "repeat_interleave" and isinstance(d.get("repeats"), torch.Tensor):
        d["output_size"] = results[0].shape[d.get("dim") or 0]
    if name == "tensordot" and isinstance(d.get("dims"), (tuple, list)):
        d["a_axes"], d["b_axes"] = d.pop("dims")
    if name in ("alpha_dropout", "feature_alpha_dropout", "rrelu"):
        d.setdefault("training", False)
    if name == "gradient" and is_list(d.get("spacing"), (int, float)):
        d["spacing"] = [torch.tensor(step, dtype=d["self"].dtype) for step in d["spacing"]]
    if name == "randn" and "args" in d:
        d["shape"] = d.pop("args")
    return d


def text(v):
    """An attribute as ag_call reads it."""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, torch.dtype) and v in NAMES:
        return NAMES[v]
    if isinstance(v, (int, np.integer)):
        return str(int(v))
    if isinstance(v, float):
        return repr(v)
    if is_list(v, (int, np.integer)):
        return "(%s)" % ",".join(str(int(a)) for a in v)
    if isinstance(v, str):
        return '"%s"' % v if " " in v or v == "" else v
    raise Unfit("attribute %r" % (v,) if isinstance(v, (torch.dtype, list, tuple)) else "attribute %s" % type(v).__name__)


def translate(library, entry, arguments):
    """Inputs (tensors, numbers, None where one is left out) and the attributes' text."""
    inputs, attributes, names = [], [], library.input_names(entry.op)
    for key, v in arguments.items():
        if key in DROPPED:
            continue
        if isinstance(v, torch.Tensor):
            at = names.index(key) if key in names and key not in ("input", "self") else len(inputs)
            inputs += [None] * (at + 1 - len(inputs))
            inputs[at] = v
        elif v and is_list(v, torch.Tensor):
            inputs += v
        elif v is None:
            inputs.append(None)
        elif key in OPERANDS and isinstance(v, (int, float)) and not library.has_attr(entry.op, key):
            inputs.append(v)
        else:
            attributes.append("%s=%s" % (key, text(v)))
    while inputs and inputs[-1] is None:  # an attribute's None, or an input that may be left out
        inputs.pop()
    if entry.name == "where":
        inputs[:2] = inputs[1::-1]
    if entry.info.name in REFLECTED and entry.name != "rsub" and len(inputs) == 2:
        inputs.reverse()
    return inputs, " ".join(attributes)
