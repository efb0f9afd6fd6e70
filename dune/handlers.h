// SPDX-License-Identifier: Apache-2.0
// One function for each way in which the table says that a call is served. Called with arguments
// that arguments_check found good; each gives the result, -errno, CALL_DONE or RESTART_CALL.
#pragma once

#include "base/types.h"

struct thread;

#define HANDLER(name) long call_##name(struct thread *t, u64 number, u64 a[6])

// calls.c
HANDLER(forward);
HANDLER(never);
// handlers_memory.c
HANDLER(mmap);
HANDLER(mprotect);
HANDLER(munmap);
HANDLER(mremap);
HANDLER(brk);
HANDLER(range);
HANDLER(madvise);
HANDLER(shmat);
HANDLER(shmdt);
HANDLER(pkey_mprotect);
HANDLER(pkey_alloc);
// handlers_process.c
HANDLER(rt_sigaction);
HANDLER(rt_sigprocmask);
HANDLER(rt_sigreturn);
HANDLER(rt_sigsuspend);
HANDLER(sigaltstack);
HANDLER(exit);
HANDLER(exit_group);
HANDLER(arch_prctl);
HANDLER(getitimer);
HANDLER(setitimer);
HANDLER(prctl);
HANDLER(personality);
HANDLER(getrlimit);
HANDLER(setrlimit);
HANDLER(prlimit64);
HANDLER(kill);
HANDLER(tgkill);
HANDLER(sigqueue);
HANDLER(sigqueue2);
HANDLER(pidfd_signal);
// clone.c
HANDLER(clone);
HANDLER(clone3);
HANDLER(fork);
HANDLER(vfork);
// exec.c
HANDLER(execve);
HANDLER(execveat);
// handlers_files.c
HANDLER(close_range);
HANDLER(close);
HANDLER(dup2);
HANDLER(fcntl);
HANDLER(ioctl);
HANDLER(getdents64);
HANDLER(pidfd_getfd);
// handlers_paths.c
HANDLER(open);
HANDLER(openat);
HANDLER(openat2);
HANDLER(path);
HANDLER(path2);
HANDLER(path2b);
HANDLER(pathat);
HANDLER(pathat2);
HANDLER(symlinkat);
HANDLER(utimensat);
HANDLER(inotify);
HANDLER(readlink);
HANDLER(readlinkat);
// handlers_nested.c
HANDLER(readv);
HANDLER(writev);
HANDLER(vmsplice);
HANDLER(address);
HANDLER(sendmsg);
HANDLER(recvmsg);
HANDLER(sendmmsg);
HANDLER(recvmmsg);
HANDLER(setsockopt);
HANDLER(getsockopt);
HANDLER(semctl);
HANDLER(shmctl);
HANDLER(futex);
HANDLER(futex_waitv);
HANDLER(futex_requeue);
HANDLER(poll);
HANDLER(pselect6);
HANDLER(timer_create);
HANDLER(timer_notify);
HANDLER(set_robust_list);
