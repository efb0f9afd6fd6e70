// SPDX-License-Identifier: Apache-2.0
// Calls that Linux has elsewhere: each with a number that no call has, so that who asks whether a
// call is this one is told no.
#pragma once

#define SYS_access     50000
#define SYS_arch_prctl 50001
#define SYS_creat      50002
#define SYS_futimesat  50003
#define SYS_lchown     50004
#define SYS_link       50005
#define SYS_lstat      50006
#define SYS_mkdir      50007
#define SYS_mknod      50008
#define SYS_open       50009
#define SYS_readlink   50010
#define SYS_rename     50011
#define SYS_renameat   50012
#define SYS_rmdir      50013
#define SYS_stat       50014
#define SYS_symlink    50015
#define SYS_unlink     50016

// Flags of mmap that Linux has elsewhere.
#define MAP_32BIT 0
