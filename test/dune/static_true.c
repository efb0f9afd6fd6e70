// SPDX-License-Identifier: Apache-2.0
// The least that can be executed without a dynamic linker.
int main(void)
{
    return 0;
}
