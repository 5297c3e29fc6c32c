/* messages.c: what is said of input that is wrong for one operation: a table of calls, and what the sentence must
 * contain. */
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"

typedef struct fault {
    const char *op, *sample;
    ag_status status;
    const char *part;
} fault;

static const fault faults[] = {
    {"where", "b(2) f(3) f(2)", AG_ERR_SHAPE, "shapes do not broadcast"},
    {"lerp", "f(2) f(2)", AG_ERR_ARGUMENT, "lerp: give the weight either as the third input or as weight=number"},
    {"lerp", "f(2) f(2) f(2) | weight=1", AG_ERR_ARGUMENT, "lerp: give the weight either"},
    {"addcmul", "f(2) f(3) f(2)", AG_ERR_SHAPE, "addcmul: shapes do not broadcast"},
    {"addcdiv", "f(2) f(3) f(2)", AG_ERR_SHAPE, "addcdiv: shapes do not broadcast"},
    {"masked_fill", "f(2) b(3) | value=1", AG_ERR_SHAPE, "masked_fill: shapes do not broadcast"},
    {"nan_to_num", "i(2)<3", AG_ERR_DTYPE, "nan_to_num: "},
    {"clamp_min", "i(2)<3 | min=1", AG_ERR_DTYPE, "clamp_min: "},
    {"clamp_max", "i(2)<3 | max=1", AG_ERR_DTYPE, "clamp_max: "},
    {"prelu", "f(2,3) f(2)", AG_ERR_SHAPE, "prelu: the weight has 2 elements; it needs 1, or 3, one for each channel"},
    {"isclose", "f(2) f(2) | rtol=-1", AG_ERR_ARGUMENT, "isclose: rtol and atol must be at least 0, not -1 and 1e-08"},
    {"sum", "f(2) | axes=0 axes=0", AG_ERR_ARGUMENT, "sum: 'axes' is given twice"},
    {"matmul", "f(150,4) f(5,3)", AG_ERR_SHAPE, "matmul: inner sizes differ: (150,4) · (5,3)"},
    {"matmul", "f(2,3,4) f(5,4,2)", AG_ERR_SHAPE, "leading axes do not broadcast: (2,3,4) · (5,4,2)"},
    {"matmul", "f(3) f(2,3)", AG_ERR_SHAPE, "matmul: inner sizes differ: (3) · (2,3)"},
    {"matmul", "f(2,3) f()", AG_ERR_SHAPE, "needs at least 1 axes"},
    {"mm", "f(2,3) f(4,3)", AG_ERR_SHAPE, "mm: inner sizes differ: (2,3) · (4,3)"},
    {"mm", "f(2,3) f(3)", AG_ERR_SHAPE, "mm: needs 2 axes"},
    {"bmm", "f(2,3,4) f(3,4,5)", AG_ERR_SHAPE, "bmm: numbers of matrices differ: (2,3,4) · (3,4,5)"},
    {"bmm", "f(2,3,4) f(4,5)", AG_ERR_SHAPE, "bmm: needs 3 axes"},
    {"mv", "f(2,3) f(2)", AG_ERR_SHAPE, "mv: inner sizes differ: (2,3) · (2)"},
    {"dot", "f(2) f(3)", AG_ERR_SHAPE, "dot: shapes differ"},
    {"dot", "f(2,2) f(2,2)", AG_ERR_SHAPE, "dot: needs 1 axes"},
    {"vdot", "f(2) f(3)", AG_ERR_SHAPE, "vdot: shapes differ"},
    {"vecdot", "f(2,3) f(2)", AG_ERR_SHAPE, "vecdot: shapes do not broadcast"},
    {"inner", "f(2,3) f(2)", AG_ERR_SHAPE, "inner: axis 1 of (2,3) and axis 0 of (2) differ"},
    {"outer", "f(2,3) f(2)", AG_ERR_SHAPE, "outer: needs 1 axes"},
    {"kron", "f(2,2,2,2,2) f(2,2,2,2,2)", AG_ERR_SHAPE, "kron: a and b have 10 axes of more than one element; at most 8"},
    {"cross", "f(2,3) f(2,3) | axis=0", AG_ERR_SHAPE, "cross: axis 0 has 2 elements; vectors of 3 are needed"},
    {"cross", "f(3) f(3) | axis=1", AG_ERR_ARGUMENT, "cross: axis 1 is out of range"},
    {"addmm", "f(3) f(2,3) f(3,4)", AG_ERR_SHAPE, "(3) does not broadcast to (2,4)"},
    {"addmv", "f(2) f(2,3) f(2)", AG_ERR_SHAPE, "addmv: inner sizes differ: (2,3) · (2)"},
    {"baddbmm", "f(2,2,2) f(2,2,3) f(1,3,2)", AG_ERR_SHAPE, "baddbmm: numbers of matrices differ"},
    {"linear", "f(2,3) f(3,4)", AG_ERR_SHAPE, "linear: (2,3) should have 4 features in its last axis, for (3,4)"},
    {"linear", "f(2,3) f(4,3) f(3)", AG_ERR_SHAPE,
     "linear: the bias (3) must hold one value for each output of the weight (4,3)"},
    {"bilinear", "f(2,3) f(3,4) f(5,3,4)", AG_ERR_SHAPE, "bilinear: (2,3) and (3,4) do not go with the weight (5,3,4)"},
    {"tensordot", "f(2,3) f(2,3) | count=1", AG_ERR_SHAPE, "tensordot: axis 1 of (2,3) and axis 0 of (2,3) differ"},
    {"tensordot", "f(2,3) f(3) | count=2", AG_ERR_ARGUMENT, "tensordot: count is 2, of 2 and 1 axes"},
    {"tensordot", "f(2,3) f(3) | a_axes=1", AG_ERR_ARGUMENT, "tensordot: a_axes and b_axes must name as many axes"},
    {"tensordot", "f(2,2) f(2,2) | a_axes=0,0 b_axes=0,1", AG_ERR_ARGUMENT, "tensordot: axis 0 is named twice"},
    {"tensordot", "f(1,1,1,1,1) f(1,1,1,1) | count=0", AG_ERR_SHAPE, "tensordot: the result would have 9 axes; at most 8"},
    {"multi_dot", "f(2,3) f(3) f(3,2)", AG_ERR_SHAPE, "multi_dot: needs 2 axes"},
    {"multi_dot", "f(2,3) f(3,2) f(3,2)", AG_ERR_SHAPE, "multi_dot: inner sizes differ: (3,2) · (3,2)"},
    {"chain_matmul", "f(3) f(3,2)", AG_ERR_SHAPE, "chain_matmul: needs 2 axes"},
    {"trace", "f(3)", AG_ERR_SHAPE, "trace: needs at least 2 axes"},
    {"trace", "f(3,3) | axis1=0 axis2=-2", AG_ERR_ARGUMENT, "trace: axes 0 and -2 are the same"},
    {"einsum", "f(2,3) | equation=ij,jk", AG_ERR_ARGUMENT, "einsum: \"ij,jk\" is not for 1 operand"},
    {"einsum", "f(2,3) f(3) | equation=ij", AG_ERR_ARGUMENT, "einsum: \"ij\" is not for 2 operands"},
    {"einsum", "f(2,3) | equation=ijk", AG_ERR_SHAPE, "einsum: \"ijk\": operand 0 has 3 subscripts for the axes of (2,3)"},
    {"einsum", "f(2,3) | equation=i", AG_ERR_SHAPE, "operand 0 has 1 subscripts for the axes of (2,3)"},
    {"einsum", "f(2,3) | equation=ii", AG_ERR_SHAPE, "'i' stands for extents 3 and 2"},
    {"einsum", "f(2,1) | equation=ii", AG_ERR_SHAPE, "'i' stands for extents 1 and 2"},
    {"einsum", "f(2,3) f(4,5) | equation=ij,jk", AG_ERR_SHAPE, "'j' stands for extents 3 and 4 (operand 1, (4,5))"},
    {"einsum", "f(2,3) f(2,4) | equation=...,...", AG_ERR_SHAPE, "'...' stands for extents 3 and 4"},
    {"einsum", "f(2,3) | equation=ij->k", AG_ERR_ARGUMENT, "the output has a letter that no operand has"},
    {"einsum", "f(2,3) | equation=ij->ii", AG_ERR_ARGUMENT, "the output has a letter twice"},
    {"einsum", "f(2,3) | equation=i1", AG_ERR_ARGUMENT, "only letters"},
    {"einsum", "f(2,3) | equation=ij-", AG_ERR_ARGUMENT, "the output stands behind"},
    {"einsum", "f(2,3) | equation=ij->i,j", AG_ERR_ARGUMENT, "there is one output"},
    {"einsum", "f(2,3) | equation=......", AG_ERR_ARGUMENT, "one \"...\" at most"},
    {"einsum", "f(2,3) | equation=abcdefghi", AG_ERR_ARGUMENT, "at most 8 axes"},
    {"einsum", "f(1,1,1,1,1) f(1,1,1,1) | equation=abcde,fghi", AG_ERR_ARGUMENT, "more than 8 axes"},
    {"reshape", "f(2,3) | shape=4,2", AG_ERR_SHAPE, "does not go into the shape (4,2)"},
    {"reshape", "f(2,3) | shape=-1,4", AG_ERR_SHAPE, "does not go into the shape (-1,4)"},
    {"reshape", "f(2,3) | shape=-1,-1", AG_ERR_SHAPE, "does not go into"},
    {"reshape", "f(0,3) | shape=-1,0", AG_ERR_SHAPE, "does not go into"},
    {"reshape", "f(2,3) | shape=4294967296,4294967296,4294967296", AG_ERR_SHAPE, "does not go into"},
    {"permute", "f(2,3) | axes=0", AG_ERR_ARGUMENT, "axes must name each axis of (2,3) once"},
    {"permute", "f(2,3) | axes=0,-2", AG_ERR_ARGUMENT, "axis 0 is named twice"},
    {"permute", "f(2,3) | axes=0,2", AG_ERR_ARGUMENT, "axis 2 is out of range for 2 axes: -2 to 1"},
    {"permute", "f(2,3) | axes=all", AG_ERR_ARGUMENT, "axes must name each axis"},
    {"transpose", "f(2,3) | axis0=0 axis1=2", AG_ERR_ARGUMENT, "transpose: axis 2 is out of range"},
    {"transpose", "f()", AG_ERR_ARGUMENT, "axis -2 is out of range"},
    {"swapaxes", "f(2,3) | axis0=0 axis1=2", AG_ERR_ARGUMENT, "swapaxes: axis 2 is out of range"},
    {"movedim", "f(2,3) | source=0,1 destination=0", AG_ERR_ARGUMENT, "source names 2 axes and destination 1"},
    {"squeeze", "f(2,3) | axes=2", AG_ERR_ARGUMENT, "axis 2 is out of range"},
    {"unsqueeze", "f(2,3) | axis=3", AG_ERR_ARGUMENT, "axis 3 is out of range for 3 axes"},
    {"unsqueeze", "f(1,1,1,1,1,1,1,1) | axis=0", AG_ERR_SHAPE, "unsqueeze: needs"},
    {"flatten", "f(2,3) | start_axis=1 end_axis=0", AG_ERR_ARGUMENT, "start_axis 1 comes after end_axis 0"},
    {"unflatten", "f(2,3) | axis=1 sizes=2,2", AG_ERR_SHAPE, "axis 1 of (2,3) does not split into (2,2)"},
    {"unflatten", "f(2,3) | axis=1 sizes=()", AG_ERR_SHAPE, "sizes has 0 extents"},
    {"expand", "f(2,3) | shape=3", AG_ERR_SHAPE, "(2,3) does not broadcast to (3)"},
    {"expand", "f(2,3) | shape=4,3", AG_ERR_SHAPE, "(2,3) does not broadcast to (4,3)"},
    {"expand", "f(3) | shape=-1,3", AG_ERR_SHAPE, "negative extent -1"},
    {"expand", "f(1,3) | shape=-2,3", AG_ERR_SHAPE, "negative extent -2"},
    {"slice", "f(5) | axis=0 step=0", AG_ERR_ARGUMENT, "slice: step is 0"},
    {"slice", "f() | axis=0", AG_ERR_ARGUMENT, "a scalar has no axes"},
    {"unslice", "f(3) | shape=7 axis=0", AG_ERR_SHAPE, "(3)"},
    {"unslice", "f(3) | shape=7 axis=0 step=0", AG_ERR_ARGUMENT, "step is 0"},
    {"unslice", "f(3) | shape=7,2 axis=0 stop=3", AG_ERR_SHAPE, "unslice: (3)"},
    {"concat", "f(2,3) f(2,4) | axis=0", AG_ERR_SHAPE, "(2,3) and (2,4) (input 1) differ in more than axis 0"},
    {"concat", "f(2,3) f(2,3,1) | axis=0", AG_ERR_SHAPE, "differ in more than axis 0"},
    {"concat", "f() f()", AG_ERR_SHAPE, "needs at least 1 axes"},
    {"select", "f(2,3) | axis=0 index=2", AG_ERR_ARGUMENT, "index 2 of (2,3) is not in [-2, 1]"},
    {"narrow", "f(5) | axis=0 start=6 length=0", AG_ERR_ARGUMENT, "start 6 of (5) is not in [-5, 5]"},
    {"narrow", "f(5) | axis=0 start=-2 length=3", AG_ERR_ARGUMENT, "length 3 of (5) is not in [0, 2]"},
    {"split", "f(5) | split_size=0", AG_ERR_ARGUMENT, "split_size 0 of (5)"},
    {"split", "f(5) | split_size=2 part=3", AG_ERR_ARGUMENT, "part 3 of (5) is not in [0, 2]"},
    {"split_with_sizes", "f(5) | split_sizes=2,2", AG_ERR_ARGUMENT, "split_sizes (2,2) are too small for axis 0 of (5)"},
    {"split_with_sizes", "f(5) | split_sizes=2,4", AG_ERR_ARGUMENT, "are too large"},
    {"split_with_sizes", "f(5) | split_sizes=6,-1", AG_ERR_ARGUMENT, "are too large"},
    {"split_with_sizes", "f(5) | split_sizes=-1,6", AG_ERR_ARGUMENT, "are negative"},
    {"chunk", "f(5) | chunks=0", AG_ERR_ARGUMENT, "chunks 0 of (5)"},
    {"unbind", "f(2,3) | part=2", AG_ERR_ARGUMENT, "part 2 of (2,3) is not in [0, 1]"},
    {"fliplr", "f(3)", AG_ERR_SHAPE, "needs"},
    {"rot90", "f(2,3) | axes=0", AG_ERR_ARGUMENT, "axes must name two axes"},
    {"rot90", "f(2,3) | axes=0,-2", AG_ERR_ARGUMENT, "axis 0 is named twice"},
    {"diagonal", "f(2,3) | axis1=1 axis2=-1", AG_ERR_ARGUMENT, "axis1 and axis2 are both axis 1"},
    {"undiagonal", "f(3) | shape=2,3", AG_ERR_SHAPE, "that diagonal of (2,3) is (2)"},
    {"diag", "f(2,2,2)", AG_ERR_SHAPE, "needs"},
    {"diag_embed", "f(2) | offset=9223372036854775807", AG_ERR_SHAPE, "beyond what an index can count"},
    {"diag_embed", "f(2) | offset=-9223372036854775808", AG_ERR_SHAPE, "beyond what an index can count"},
    {"diag_embed", "f(2) | axis1=0 axis2=0", AG_ERR_ARGUMENT, "both axis 0"},
    {"unfold", "f(5) | axis=0 size=6 step=1", AG_ERR_ARGUMENT, "size 6 and step 1 along 5 elements"},
    {"unfold", "f(5) | axis=0 size=2 step=0", AG_ERR_ARGUMENT, "step 0"},
    {"unfold", "f(1,1,1,1,1,1,1,1) | axis=0 size=1 step=1", AG_ERR_SHAPE, "9 axes"},
    {"unfold_add", "f(3,2) | shape=5 axis=0 size=2 step=1", AG_ERR_SHAPE, "these windows of (5) are (4,2)"},
    {"stack", "f(2,3) f(2,2)", AG_ERR_SHAPE, "shapes differ"},
    {"hstack", "f(2,3) f(3,3)", AG_ERR_SHAPE, "differ in more than axis 1"},
    {"vstack", "f(3) f(2)", AG_ERR_SHAPE, "differ in more than axis 0"},
    {"column_stack", "f(3) f(2)", AG_ERR_SHAPE, "differ in more than axis 1"},
    {"dstack", "f(3) f(2)", AG_ERR_SHAPE, "differ in more than axis 2"},
    {"broadcast_tensors", "f(3) f(2)", AG_ERR_SHAPE, "do not broadcast"},
    {"broadcast_tensors", "f(3) f(1) | part=2", AG_ERR_ARGUMENT, "part 2: there are 2"},
    {"meshgrid", "f(3) f(2,2)", AG_ERR_SHAPE, "meshgrid: needs"},
    {"tile", "f(2) | reps=-1", AG_ERR_SHAPE, "negative extent -1"},
    {"tile", "f(4) | reps=4611686018427387904", AG_ERR_SHAPE, "more elements than memory has bytes"},
    {"repeat", "f(2,3) | repeats=2", AG_ERR_ARGUMENT, "repeats names 1 axes of 2"},
    {"repeat_interleave", "f(2,3) | repeats=-1", AG_ERR_ARGUMENT, "repeats is -1"},
    {"repeat_interleave", "f(2) i(2)=1,1", AG_ERR_ARGUMENT, "counts need output_size"},
    {"repeat_interleave", "f(2) i(3)=1,1,1 | output_size=3", AG_ERR_ARGUMENT, "one count for each of the 2 slabs"},
    {"repeat_index", "i(2)=2,1 | output_size=4", AG_ERR_VALUE, "add up to 3, not to output_size 4"},
    {"repeat_index", "i(2)=2,3 | output_size=4", AG_ERR_VALUE, "the counts up to [1] add up to more than output_size 4"},
    {"repeat_index", "i(2)=2,-3 | output_size=4", AG_ERR_VALUE, "count[1] is -3"},
    {"roll", "f(2,3) | shifts=1,2 axes=0", AG_ERR_ARGUMENT, "2 shift(s) for 1 axes"},
    {"roll", "f(2,3) | shifts=1,2", AG_ERR_ARGUMENT, "2 shift(s) for 1 axes"},
    {"pad", "f(3) | pad=1", AG_ERR_ARGUMENT, "pad has 1 numbers"},
    {"pad", "f(3) | pad=1,1,1,1", AG_ERR_ARGUMENT, "of which there are 1"},
    {"pad", "f(3) | pad=-2,-2", AG_ERR_SHAPE, "less than nothing is left"},
    {"pad", "f(3) | pad=3,0 mode=reflect", AG_ERR_SHAPE, "reflect padding of axis 0, of 3 element(s), by 3 and 0"},
    {"pad", "f(3) | pad=0,4 mode=circular", AG_ERR_SHAPE, "there are not enough elements to read from"},
    {"pad", "f(4) | pad=3,-2 mode=circular", AG_ERR_SHAPE, "there are not enough elements to read from"},
    {"pad", "f(0) | pad=0,1 mode=replicate", AG_ERR_SHAPE, "there are not enough elements"},
    {"pad", "f(3) | pad=9223372036854775807,1", AG_ERR_SHAPE, "pad: "},
    {"unpad", "f(3) | shape=3 pad=1,1 mode=reflect", AG_ERR_SHAPE, "(3) padded is (5)"},
    {"flatnonzero", "i(3)=1,0,2 | count=1", AG_ERR_VALUE, "2 element(s) are not 0, but count is 1"},
    {"nonzero", "i(3)=1,0,2 | count=3", AG_ERR_VALUE, "2 element(s) are not 0, but count is 3"},
    {"masked_select", "f(3) b(3)=1,0,0 | count=2", AG_ERR_VALUE, "1 element(s) are not 0, but count is 2"},
    {"masked_select", "f(3) b(2) | count=2", AG_ERR_SHAPE, "do not broadcast"},
    {"masked_scatter", "f(3) b(3)=1,1,0 f(1)", AG_ERR_VALUE, "2 element(s) of the mask are set, but there are only 1"},
    {"masked_scatter", "f(3) b(3)=1,1,0 f(0)", AG_ERR_VALUE, "there are only 0"},
    {"searchsorted", "f(2,3) f(3,3)", AG_ERR_SHAPE, "sorted (2,3) must be one line"},
    {"bucketize", "f(3) f(2,2)", AG_ERR_SHAPE, "needs"},
    {"arange", "| end=5 step=0", AG_ERR_ARGUMENT, "from 0 to 5 by steps of 0"},
    {"arange", "| end=5 step=-1", AG_ERR_ARGUMENT, "by steps of -1"},
    {"arange", "| end=nan", AG_ERR_ARGUMENT, "from 0 to nan"},
    {"arange", "| end=5 dtype=bool", AG_ERR_DTYPE, "dtype is bool"},
    {"linspace", "| start=0 end=1 steps=-1", AG_ERR_ARGUMENT, "steps is -1"},
    {"eye", "| n=2 m=-2", AG_ERR_ARGUMENT, "2 by -2 is no matrix"},
    {"cast", "f(2) | dtype=f16", AG_ERR_ARGUMENT, "dtype='f16': expected f32, f64, i64 or bool"},
    {"sum", "f(2,3) | axes=2", AG_ERR_ARGUMENT, "axis 2 is out of range for 2 axes: -2 to 1"},
    {"mean", "f(2,3) | axes=1,-1", AG_ERR_ARGUMENT, "axis 1 is named twice"},
    {"max", "f(0,3) | axes=0", AG_ERR_SHAPE, "(0,3): there is no element to choose"},
    {"min", "f(0)", AG_ERR_SHAPE, "there is no element to choose"},
    {"sum_to", "f(2,3) | shape=2", AG_ERR_SHAPE, "the shape (2) does not broadcast to that of (2,3)"},
    {"sum_to", "f(3) | shape=2,3", AG_ERR_SHAPE, "does not broadcast"},
    {"take", "f(4,3) i(2)=0,4 | axis=0", AG_ERR_VALUE, "take: index[1] = 4 is not in [-4, 4)"},
    {"take", "f(4,3) i(1,2)=0,-5 | axis=0", AG_ERR_VALUE, "index[0,1] = -5 is not in [-4, 4)"},
    {"take", "f(0,3) i()=0 | axis=0", AG_ERR_VALUE, "index = 0 is not in [0, 0)"},
    {"take", "f(1,1,1,1,1) i(1,1,1,1,1)=0 | axis=0", AG_ERR_SHAPE, "9 axes; at most 8"},
    {"take_add", "f(2,3) i(2)=0,9 | shape=4,3", AG_ERR_VALUE, "index[1] = 9 is not in [-4, 4)"},
    {"take_add", "f(2,4) i(2)<4 | shape=4,3", AG_ERR_SHAPE, "taking (2) along axis 0 of (4,3) gives (2,3)"},
    {"embedding", "f(4) i(2)<4", AG_ERR_SHAPE, "embedding: needs 2 axes, but a leaf (4) has 1"},
    {"embedding", "f(4,3) i(1)=7", AG_ERR_VALUE, "index[0] = 7 is not in [-4, 4)"},
    {"gather", "f(4,3) i(2)<4 | axis=0", AG_ERR_SHAPE, "index (2) must have as many axes as (4,3)"},
    {"gather", "f(4,3) i(2,4)<4 | axis=0", AG_ERR_SHAPE, "but for axis 0, not be larger"},
    {"gather", "f(4,3) i(1,1)=4 | axis=0", AG_ERR_VALUE, "index[0,0] = 4 is not in [-4, 4)"},
    {"take", "f(4,3) i(2)<4 | axis=()", AG_ERR_ARGUMENT, "axis must be one axis, or all"},
    {"take_along_axis", "f(4,3) i(2)<4 | axis=0", AG_ERR_SHAPE, "index (2) must have as many axes as (4,3)"},
    {"embedding", "f(4,3) i(2)<4 | padding_idx=4", AG_ERR_ARGUMENT, "padding_idx 4 is not a row of 4"},
    {"index_select", "f(4,3) i(1,2)<4 | axis=0", AG_ERR_SHAPE, "needs"},
    {"index_add", "f(4,3) i(2)<4 f(2,2) | axis=0", AG_ERR_SHAPE, "source (2,2) must be (2,3)"},
    {"index_copy", "f(4,3) i(2)=0,4 f(2,3) | axis=0", AG_ERR_VALUE, "index[1,0] = 4 is not in [-4, 4)"},
    {"index_fill", "f(2,4) i(2)=0,-5 | axis=1 value=0", AG_ERR_VALUE, "index[0,1] = -5 is not in [-4, 4)"},
    {"scatter", "f(4,3) i(2,3)<4 f(1,3) | axis=0", AG_ERR_SHAPE, "index (2,3) must have as many axes as src (1,3)"},
    {"scatter", "f(4,3) i(2,4)<4 f(2,4) | axis=0", AG_ERR_SHAPE, "but for axis 0, not be larger"},
    {"scatter_pick", "f(4,3) i(1,1)=4 | axis=0", AG_ERR_VALUE, "scatter_pick: index[0,0] = 4 is not in [-4, 4)"},
    {"scatter_add", "f(4,3) i(2,3)<4 f(2,2) | axis=0", AG_ERR_SHAPE, "must have as many axes as src (2,2)"},
    {"put_along_axis", "f(4,3) i(2,2)<4 f() | axis=0", AG_ERR_SHAPE, "but for axis 0, broadcast with it"},
    {"gather_add", "f(2,3) i(2,2)<4 | axis=0 shape=4,3", AG_ERR_SHAPE, "shapes differ: a leaf ("},
    {"gather_add", "f(1,1) i(1,1)=4 | axis=0 shape=4,3", AG_ERR_VALUE, "index[0,0] = 4 is not in [-4, 4)"},
    {"one_hot", "i(2)=0,3 | num_classes=3", AG_ERR_VALUE, "one_hot: index[1] = 3 is not in [-3, 3)"},
    {"one_hot", "i(2)=0,1 | num_classes=-1", AG_ERR_ARGUMENT, "num_classes is -1"},
    {"argmax", "f(2,3) | axes=0,1", AG_ERR_ARGUMENT, "argmax: takes one axis, or all of them together, not 2"},
    {"argmin", "f(0,3) | axes=0", AG_ERR_SHAPE, "(0,3): there is no element to choose"},
    {"norm", "f(0) | p=inf", AG_ERR_SHAPE, "(0): there is no element to choose"},
    {"norm", "f(3) | p=nan", AG_ERR_ARGUMENT, "the order of a norm is a number or infinite, not nan"},
    {"diff", "f(3) | n=-1", AG_ERR_ARGUMENT, "diff: n is -1"},
    {"linear_scan", "f(2,3) f(3) | axis=0", AG_ERR_SHAPE, "linear_scan: shapes differ: a leaf ("},
    {"linear_scan", "f() f() | axis=0", AG_ERR_ARGUMENT, "a scalar has no axes"},
    {"topk", "f(5) | k=6", AG_ERR_ARGUMENT, "k is 6, but axis 0 of (5) has 5 elements"},
    {"topk", "f(5) | k=-1", AG_ERR_ARGUMENT, "k is -1"},
    {"softmax", "f() | axis=1", AG_ERR_ARGUMENT, "axis 1 is out of range for 1 axes: -1 to 0"},
    {"softmax_grad", "f(3,4) f(3,5)", AG_ERR_SHAPE, "shapes differ: a leaf ("},
    {"log_softmax", "f(3) | axis=-2", AG_ERR_ARGUMENT, "axis -2 is out of range for 1 axes"},
    {"log_softmax_grad", "f(3,4) f(4)", AG_ERR_SHAPE, "shapes differ"},
    {"cross_entropy", "f(4,3) i(4)=0,1,3,2", AG_ERR_VALUE, "cross_entropy: label 3 at row 2 is not in [0, 3)"},
    {"cross_entropy", "f(1,3) i(1)=-1", AG_ERR_VALUE, "label -1 at row 0"},
    {"cross_entropy", "f(4,3) i(5)<3", AG_ERR_SHAPE, "one label per row"},
    {"cross_entropy", "f(3) i(3)<3", AG_ERR_SHAPE, "(3) needs labels in its shape without the classes on axis 0, not (3)"},
    {"cross_entropy", "f(4,3) i(4)<3 f(4)", AG_ERR_SHAPE,
     "the weight (4) must hold one value for each class on axis 1 of (4,3)"},
    {"cross_entropy", "f(4,3) f(4)", AG_ERR_DTYPE,
     "cross_entropy: (4) is f32: labels are i64, class probabilities have the shape of (4,3)"},
    {"cross_entropy", "f(4,3) f(4,3) | label_smoothing=1.5", AG_ERR_ARGUMENT,
     "label_smoothing is 1.5; it must lie between 0 and 1"},
    {"cross_entropy", "f(4,3) i(4)=0,1,2,-1 | reduction=sum", AG_ERR_VALUE, "label -1 at 3 is not in [0, 3)"},
    {"nll_loss", "f(2,3) i(2)=0,3", AG_ERR_VALUE, "nll_loss: label 3 at 1 is not in [0, 3)"},
    {"nll_pick", "f(2,3) i(3)<3", AG_ERR_SHAPE, "needs labels in its shape without the classes"},
    {"mse_loss", "f(2,3) f(3)", AG_ERR_SHAPE, "mse_loss: shapes differ"},
    {"l1_loss", "f(2,3) f(3)", AG_ERR_SHAPE, "l1_loss: shapes differ"},
    {"huber_loss", "f(3) f(3) | delta=0", AG_ERR_ARGUMENT, "huber_loss: delta is 0; it must be greater than 0"},
    {"smooth_l1_loss", "f(3) f(3) | beta=-1", AG_ERR_ARGUMENT, "smooth_l1_loss: beta is -1"},
    {"binary_cross_entropy", "f(3) f(3) f(2)", AG_ERR_SHAPE, "(2) does not broadcast to (3)"},
    {"binary_cross_entropy_with_logits", "f(3) f(2)", AG_ERR_SHAPE, "shapes differ"},
    {"soft_margin_loss", "f(3) f(2)", AG_ERR_SHAPE, "soft_margin_loss: shapes differ"},
    {"multilabel_soft_margin_loss", "f() f()", AG_ERR_SHAPE, "needs at least 1 axes"},
    {"kl_div", "f(3) f(3) | reduction=batch", AG_ERR_ARGUMENT, "expected mean|sum|none|batchmean"},
    {"kl_div", "f(3) f(2)", AG_ERR_SHAPE, "kl_div: shapes differ"},
    {"poisson_nll_loss", "f(3) f(2)", AG_ERR_SHAPE, "poisson_nll_loss: shapes differ"},
    {"gaussian_nll_loss", "f(3,4) f(3,4) f(2)", AG_ERR_SHAPE, "(2) does not broadcast to (3,4)"},
    {"hinge_embedding_loss", "f(3) f(2)", AG_ERR_SHAPE, "hinge_embedding_loss: shapes differ"},
    {"margin_ranking_loss", "f(3) f(3) f(2)", AG_ERR_SHAPE, "do not broadcast"},
    {"cosine_embedding_loss", "f(2,3) f(2,3) f(3,1)", AG_ERR_SHAPE, "cosine_embedding_loss: needs 1 axes"},
    {"multi_margin_loss", "f(2,3) i(2)<3 | p=3", AG_ERR_ARGUMENT, "p is 3; it must be 1 or 2"},
    {"multi_margin_loss", "f(2,3) i(3)<3", AG_ERR_SHAPE,
     "multi_margin_loss: (2,3) needs a label for each of its 2 rows, not (3)"},
    {"gaussian_nll_loss", "f(2,3) f(2) f(2,3)", AG_ERR_SHAPE, "gaussian_nll_loss: shapes do not broadcast"},
    {"multi_margin_loss", "f(2,3) i(2)=0,-1", AG_ERR_VALUE, "label -1 at 1 is not in [0, 3)"},
    {"multilabel_margin_loss", "f(2,3) i(2)=0,-1", AG_ERR_SHAPE, "multilabel_margin_loss: shapes differ"},
    {"triplet_margin_loss", "f(3) f(3) f(2)", AG_ERR_SHAPE, "do not broadcast"},
    {"triplet_margin_loss", "f(3) f(3) f(3) | p=nan", AG_ERR_ARGUMENT, "triplet_margin_loss: the order of a norm is a number"},
    {"cdist", "f(2,3) f(2,3) | p=-1", AG_ERR_ARGUMENT, "cdist: p is -1; it must not be less than 0"},
    {"pairwise_distance", "f() f()", AG_ERR_ARGUMENT, "a scalar has no axes"},
    {"cdist", "f(2,3) f(2,4)", AG_ERR_SHAPE, "cdist: the last axes of (2,3) and (2,4) differ"},
    {"cosine_similarity", "f(2,3) f(2,4)", AG_ERR_SHAPE, "cosine_similarity: shapes do not broadcast"},
    {"cross_entropy", "f(3,3) i(3,1)<3", AG_ERR_SHAPE, "needs 1 axes, but a leaf (3,1) has 2"},
    {"cross_entropy_grad", "f(2) f(4,3) i(4)<3", AG_ERR_SHAPE, "needs 0 axes, but a leaf (2) has 1"},
    {"cross_entropy_grad", "f() f(1,3) i(1)=3", AG_ERR_VALUE, "label 3 at row 0"},
    {"mse_loss", "f(3) f(4)", AG_ERR_SHAPE, "mse_loss: shapes differ: a leaf ("},
    {"mse_loss", "f(3,1) f(1,3)", AG_ERR_SHAPE, "shapes differ"},
    {"dropout", "f(3) | p=1", AG_ERR_ARGUMENT, "dropout: p is 1; it must be at least 0 and less than 1"},
    {"dropout", "f(3) | p=nan", AG_ERR_ARGUMENT, "p is nan"},
    {"dropout_mask", "| shape=3 p=-0.1", AG_ERR_ARGUMENT, "p is -0.1"},
    {"dropout_mask", "| shape=3 dtype=i64", AG_ERR_DTYPE, "the dtype must be f32 or f64"},
    {"assign", "f(2) f(3)", AG_ERR_SHAPE, "assign: shapes differ: a leaf ("},
    {"lerp_into", "f(2) f() | a=0.5", AG_ERR_SHAPE, "shapes differ: a leaf ("},
    {"sgd_step", "f(3) f(4) f()", AG_ERR_SHAPE, "shapes differ: a leaf ("},
    {"sgd_step", "f(3) f(3) f(2)", AG_ERR_SHAPE, "input 2 is one number, not (2)"},
    {"momentum_step", "f(3) f(3) f() f(2) f()", AG_ERR_SHAPE, "shapes differ"},
    {"momentum_step", "f(3) f(3) f() f(3) f(3)", AG_ERR_SHAPE, "input 4 is one number"},
    {"adam_step", "f(3) f(3) f() f(3) f(1) f()", AG_ERR_SHAPE, "shapes differ"},
    {"tril", "f(3)", AG_ERR_SHAPE, "needs at least 2 axes, but"},
    {"cholesky", "f(2,2)=1,2,2,1", AG_ERR_VALUE, "cholesky: (2,2) is not positive definite: pivot 1 is -3"},
    {"cholesky", "f(2,1,1)=1,-1", AG_ERR_VALUE, "matrix 1 of (2,1,1) is not positive definite: pivot 0 is -1"},
    {"cholesky", "f(1,1)=nan", AG_ERR_VALUE, "pivot 0 is nan"},
    {"cholesky", "f(1,1)=0", AG_ERR_VALUE, "pivot 0 is 0"},
    {"cholesky", "f(2,3)", AG_ERR_SHAPE, "needs square matrices on the last two axes, not (2,3)"},
    {"solve_triangular", "d(3,3) f(2,2)", AG_ERR_SHAPE, "as many rows in b as in a: (3,3), (2,2)"},
    {"solve_triangular", "f(2,3) f(2,1)", AG_ERR_SHAPE, "needs square matrices"},
    {"solve_triangular", "d(3,3) f(3)", AG_ERR_SHAPE, "needs at least 2 axes"},
    {"batch_norm", "f(5) f(5) f(5)", AG_ERR_SHAPE, "x has its channels on axis 1, which (5) lacks"},
    {"batch_norm", "f(5,3) f(4) f(3)", AG_ERR_SHAPE,
     "weight must hold one value for each of the 3 channels of (5,3), not (4)"},
    {"batch_norm", "f(5,3) f(3) f(3,1)", AG_ERR_SHAPE, "bias must hold one value"},
    {"batch_norm", "f(5,3) f(3) f(3) | eps=-1", AG_ERR_ARGUMENT, "eps is -1"},
    {"conv2d", "f(1,3,5,5) f(4,2,3,3)", AG_ERR_SHAPE, "(1,3,5,5) has 3 channels"},
    {"conv2d", "f(1,1,2,2) f(1,1,3,3)", AG_ERR_SHAPE, "kernel (1,1,3,3) spans 3 pixels on axis 2"},
    {"conv2d", "f(1,3,5,5) f(4,1,3,3) | groups=2", AG_ERR_ARGUMENT, "groups is 2; it must divide"},
    {"conv2d", "f(1,2,5,5) f(4,2,3,3) | groups=0", AG_ERR_ARGUMENT, "groups is 0"},
    {"conv2d", "f(1,2,5,5) f(4,2,3,3) | stride=0", AG_ERR_ARGUMENT, "stride is 0; it must be"},
    {"conv2d", "f(1,2,5,5) f(4,2,3,3) | padding=-1", AG_ERR_ARGUMENT, "padding is -1"},
    {"conv2d", "f(1,2,5,5) f(4,2,3,3) | dilation=1,1,1", AG_ERR_ARGUMENT, "dilation takes one or two numbers, not 3"},
    {"conv2d", "f(2,5,5) f(4,2,3,3)", AG_ERR_SHAPE, "takes x (n,c,h,w) and w (o,c/groups,kh,kw), not (2,5,5)"},
    {"conv2d_input", "f(1,4,3,3) f(4,2,3,3) | shape=1,2,6,5", AG_ERR_SHAPE, "the gradient is (1,4,3,3)"},
    {"conv2d_weight", "f(1,4,3,3) f(1,2,5,5) | shape=4,2,2,3", AG_ERR_SHAPE, "the gradient is (1,4,3,3)"},
};

Test(ops, messages) {
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        const fault *f = &faults[k];
        sample s;
        ag_tape *t = ag_tape_new();
        ag_tensor *in[SAMPLE_INPUTS];
        char text[CHECK_TEXT];
        sample_next(f->sample, f->op, &s);
        need(&s, sample_tensors(&s, t, AG_F32, 0, in), "%s", ag_tape_message(t));
        need(&s, sample_call(&s, t, in) == NULL, "accepted");
        need(&s, check_error(t, f->status, f->part, text), "%s", text);
        need(&s, strncmp(ag_tape_message(t), f->op, strlen(f->op)) == 0 || !s.op->shape || s.op->plain, "'%s'",
             ag_tape_message(t));
        ag_tape_free(t);
    }
}

/* Every op of several inputs but the rows. One input alone is wrong by its dtype, rank or an attribute, and
 * wrong_input.c tries those on every op. */
Test(ops, messages_of_every_op) {
    for (const listed_op *op = listed_ops; op->name; op++) {
        const ag_op *record = ag_find_op(op->name);
        bool has = record->flags & AG_MAP || record->arity == 1;
        for (size_t k = 0; !has && k < sizeof faults / sizeof *faults; k++) has = strcmp(faults[k].op, op->name) == 0;
        cr_assert(has, "%s has no row in this table", op->name);
    }
}

Test(ops, messages_name_tensors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_set_name(ag_buffer(t, AG_F32, AG_SHAPE(150, 4)), "x");
    ag_tensor *w = ag_set_name(ag_buffer(t, AG_F32, AG_SHAPE(5, 3)), "layer1.weight");
    ag_scope_push(t, "layer1");
    cr_assert_null(ag_matmul(x, w));
    assert_error(t, AG_ERR_SHAPE, "matmul: inner sizes differ: x (150,4) · layer1.weight (5,3)");
    cr_assert_null(ag_add(x, w));
    assert_error(t, AG_ERR_SHAPE, "x (150,4)");
    ag_scope_pop(t);
    ag_tensor *y = ag_add(x, x);
    cr_assert_null(ag_assign(y, x));
    assert_error(t, AG_ERR_ARGUMENT, "assign: can only write to a persistent leaf");
    ag_tape_free(t);
}

Test(ops, unknown_names) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE());
    cr_assert_null(ag_call(t, "tahn", &x, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "unknown op 'tahn'; did you mean 'tanh'?");
    cr_assert_null(ag_call(t, "convolve_everything", &x, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "unknown op 'convolve_everything'");
    cr_assert_null(ag_call(t, NULL, &x, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "unknown op");
    cr_assert_not_null(ag_call(t, "tanh", &x, 1, NULL));
    ag_tape_free(t);
}
