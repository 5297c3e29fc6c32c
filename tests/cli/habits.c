/* habits.c: hints for foreign words: of operations that do not exist, with operations that do. */
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "check.h"
#include "tools/cli/habits.h"

Test(habits, are_of_operations_that_do_not_exist) {
    int count = 0;
    for (const char *name; (name = habit_op_at(count)) != NULL; count++) {
        cr_assert_null(ag_find_op(name), "'%s' exists: its hint is never shown", name);
        cr_assert_not_null(habit_of_op(name));
    }
    cr_assert_gt(count, 15);
}

/* Every name before a '(' in a hint is one of an operation. */
Test(habits, suggest_operations_that_exist) {
    for (int i = 0; habit_op_at(i); i++) {
        const char *hint = habit_of_op(habit_op_at(i));
        for (const char *open = strchr(hint, '('); open; open = strchr(open + 1, '(')) {
            const char *start = open;
            char name[64];
            while (start > hint && (strchr("_", start[-1]) || (start[-1] >= 'a' && start[-1] <= 'z'))) start--;
            snprintf(name, sizeof name, "%.*s", (int)(open - start), start);
            cr_assert(!*name || ag_find_op(name), "%s: '%s' does not exist", habit_op_at(i), name);
        }
    }
}
