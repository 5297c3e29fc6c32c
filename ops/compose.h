/* compose.h: the record of an operation that is a composition of others: no node of its own, no gradient of its own. */
#ifndef OPS_COMPOSE_H
#define OPS_COMPOSE_H

#include <stddef.h>

#include "autograd/op.h"

/* `of` makes the result from ag_in and ag_attrs; attributes: the type of the attribute struct, `fields` its description.
 * More of the record's members may follow: AG__COMPOSED(…, embedding, .inputs = "weight index"). */
#define AG__COMPOSED(op, arguments, attributes, fields, text, ...) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),              \
                               .name = #op,                        \
                               .arity = arguments,                 \
                               .attr_size = sizeof(attributes),    \
                               .attrs = fields,                    \
                               .formula = text,                    \
                               .compose = __VA_ARGS__}

/* The same, with inputs in [least, most] where checks sample. */
#define AG__COMPOSED_ON(op, arguments, attributes, fields, text, of, least, ...) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),                            \
                               .name = #op,                                      \
                               .arity = arguments,                               \
                               .attr_size = sizeof(attributes),                  \
                               .attrs = fields,                                  \
                               .formula = text,                                  \
                               .lo = least,                                      \
                               .compose = of,                                    \
                               .hi = __VA_ARGS__}

/* The same without attributes. */
#define AG__COMPOSED_BARE(op, arguments, text, ...) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op), .name = #op, .arity = arguments, .formula = text, .compose = __VA_ARGS__}

/* One that no gradient flows through; `size` and `fields` are 0 and NULL without attributes. */
#define AG__COMPOSED_FLAT(op, arguments, size_of, fields, text, ...) \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),                \
                               .name = #op,                          \
                               .arity = arguments,                   \
                               .flags = AG_FLAT,                     \
                               .attr_size = size_of,                 \
                               .attrs = fields,                      \
                               .formula = text,                      \
                               .compose = __VA_ARGS__}

#endif
