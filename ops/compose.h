/* compose.h: the record of an operation that is a composition of others: no node of its own, no gradient of its own. */
#ifndef OPS_COMPOSE_H
#define OPS_COMPOSE_H

#include <stddef.h>

#include "autograd/op.h"

/* `of` makes the result from ag_in and ag_attrs; attributes: the type of the attribute struct, `fields` its description. */
#define AG__COMPOSED(op, inputs, attributes, fields, text, of)  \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),           \
                               .name = #op,                     \
                               .arity = inputs,                 \
                               .attr_size = sizeof(attributes), \
                               .attrs = fields,                 \
                               .formula = text,                 \
                               .compose = of}

/* The same, with inputs in [least, most] where checks sample. */
#define AG__COMPOSED_ON(op, inputs, attributes, fields, text, of, least, most) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),                          \
                               .name = #op,                                    \
                               .arity = inputs,                                \
                               .attr_size = sizeof(attributes),                \
                               .attrs = fields,                                \
                               .formula = text,                                \
                               .lo = least,                                    \
                               .hi = most,                                     \
                               .compose = of}

/* The same without attributes. */
#define AG__COMPOSED_BARE(op, inputs, text, of) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op), .name = #op, .arity = inputs, .formula = text, .compose = of}

/* One that no gradient flows through; `size` and `fields` are 0 and NULL without attributes. */
#define AG__COMPOSED_FLAT(op, inputs, size_of, fields, text, of) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),            \
                               .name = #op,                      \
                               .arity = inputs,                  \
                               .flags = AG_FLAT,                 \
                               .attr_size = size_of,             \
                               .attrs = fields,                  \
                               .formula = text,                  \
                               .compose = of}

#endif
