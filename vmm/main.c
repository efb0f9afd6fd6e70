// SPDX-License-Identifier: Apache-2.0
// lh: one program, one verb each.
#include "vmm/verbs.h"

int main(int argc, char **argv)
{
    return verbs_main(argc, argv);
}
