/**
 * What the kernel lets a sandbox ask of it, as runc's configuration has it: everything else fails with EPERM.
 * Nothing is allowed here that Docker's default profile (moby, profiles/seccomp/default.json) refuses to a container
 * without capabilities. Less is: no 32-bit calls, io_uring, AF_ALG or AF_VSOCK sockets, clock or memory-policy calls.
 */

const PROCESSES = `
  arch_prctl brk capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid
  geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid
  gettid getuid ioprio_get ioprio_set kill membarrier pause pidfd_open pidfd_send_signal prctl prlimit64
  process_mrelease process_vm_readv process_vm_writev ptrace restart_syscall riscv_flush_icache rseq rt_sigaction
  rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
  set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority setregid
  setresgid setresuid setreuid setrlimit setsid setuid sigaltstack sysinfo tgkill times tkill umask uname vfork wait4
  waitid`;

const MEMORY = `
  futex futex_waitv landlock_add_rule landlock_create_ruleset landlock_restrict_self madvise memfd_create
  memfd_secret mincore mlock mlock2 mlockall mmap modify_ldt mprotect mremap msync munlock munlockall munmap
  remap_file_pages`;

const FILES = `
  access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
  fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
  fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
  inotify_init inotify_init1 inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr
  lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64
  pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile
  setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate unlink unlinkat utime
  utimensat utimes vmsplice write writev`;

const WAITING = `
  alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 getitimer gettimeofday io_cancel io_destroy io_getevents
  io_pgetevents io_setup io_submit nanosleep pipe pipe2 poll ppoll pselect6 select setitimer signalfd signalfd4 time
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
  timerfd_settime`;

const TALKING = `
  accept accept4 bind connect getpeername getrandom getsockname getsockopt listen mq_getsetattr mq_notify mq_open
  mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd recvfrom recvmmsg recvmsg semctl semget semop
  semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown socketpair`;

/** Of clone's flags, those that make namespaces: all of CLONE_NEW* but the one that shares bits with the signal. */
const NEW_NAMESPACES = 0x7e02_0000;
/** Address families from here on are the kernel's cryptography, virtual machines and drivers. */
const AF_ALG = 38;
/** Plain Linux, 32 bits, the old flag of UNAME26 with either, and "which is it now". */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
const ENOSYS = 38;
const EPERM = 1;

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
};

const words = (...lists: string[]): string[] => lists.flatMap((list) => list.trim().split(/\s+/));
const allow = (
  names: string[],
  args: { index: number; value: number; valueTwo?: number; op: string }[] = [],
) => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  args,
});

/** The `linux.seccomp` member of a sandbox's configuration; only this machine's own kind of calls exists in it. */
export function seccompProfile() {
  const architecture = ARCHITECTURES[process.arch];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    ...(architecture ? { architectures: [architecture] } : {}),
    syscalls: [
      allow(words(PROCESSES, MEMORY, FILES, WAITING, TALKING)),
      allow(['socket'], [{ index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }]),
      allow(['clone'], [{ index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
      ...PERSONALITIES.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
      // Its flags lie in memory, where no filter sees them: the C library takes clone instead.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, args: [] },
    ],
  };
}
