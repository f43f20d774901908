/*
 * Kills a program before its Nth call of the system that changes something on a disk, makes it last
 * or starts a program or a thread, counted over all its threads in the order in which they come:
 *
 *     kill_at 0 PROGRAM …     kills nothing; says the calls on standard output, "tid name" each
 *     kill_at N PROGRAM …     ends with 137 when the program was killed, else with its status
 *
 * strace counts for each thread by itself, so that it never gets to most calls of the workers. What
 * the program starts is not counted and goes on to its end.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
	long number;
	const char *name;
};

#define CALL(name)                                                                                 \
	{                                                                                          \
		SYS_##name, #name                                                                  \
	}

static const struct call calls[] = {
	CALL(write),	 CALL(pwrite64),  CALL(renameat),	 CALL(renameat2),
	CALL(linkat),	 CALL(symlinkat), CALL(unlinkat),	 CALL(mkdirat),
	CALL(fsync),	 CALL(fdatasync), CALL(syncfs),		 CALL(ftruncate),
	CALL(fchown),	 CALL(fchownat),  CALL(fchmod),		 CALL(fchmodat),
	CALL(fallocate), CALL(fsetxattr), CALL(copy_file_range), CALL(clone3),
#ifdef SYS_rename
	CALL(rename),	 CALL(link),	  CALL(symlink),	 CALL(unlink),
	CALL(mkdir),	 CALL(chmod),	  CALL(chown),		 CALL(lchown),
	CALL(fork),	 CALL(vfork),	  CALL(clone),
#endif
};

enum { N_CALLS = sizeof calls / sizeof calls[0] };

static void
die(const char *what)
{
	perror(what);
	exit(125);
}

/* A traced stop for each of the calls, and nothing for the others, so that the program stays fast.
 */
static void
stop_at_calls(void)
{
	struct sock_filter filter[N_CALLS + 3];
	struct sock_fprog program = {.len = N_CALLS + 3, .filter = filter};

	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < N_CALLS; i++)
		filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (uint32_t)calls[i].number,
							     (uint8_t)(N_CALLS - i), 0);
	filter[N_CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[N_CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		die("seccomp");
}

static void
become(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		die("ptrace");
	raise(SIGSTOP);
	stop_at_calls();
	execv(argv[0], argv);
	die(argv[0]);
}

/* Whether the thread is one of that process. */
static int
is_thread_of(pid_t tid, pid_t process)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d", process, tid);
	return access(path, F_OK) == 0;
}

static const char *
call_name(pid_t tid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0)
		return "gone";
	for (unsigned int i = 0; i < N_CALLS; i++) {
		if ((uint64_t)calls[i].number == info.seccomp.nr)
			return calls[i].name;
	}
	return "unknown";
}

/* What a stopped thread goes on with. */
static int
signal_of(int status)
{
	int number = WSTOPSIG(status);

	/* A new thread begins with a stop; what has an event is no signal either. */
	return status >> 16 != 0 || number == SIGSTOP || number == SIGTRAP ? 0 : number;
}

static int
watch(pid_t program, unsigned long kill_at)
{
	unsigned long n = 0;
	int result = 125, status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid == program && WIFEXITED(status))
			result = WEXITSTATUS(status);
		if (tid == program && WIFSIGNALED(status))
			result = 128 + WTERMSIG(status);
		if (tid <= 0 || !WIFSTOPPED(status))
			continue;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
		    is_thread_of(tid, program)) {
			if (kill_at == 0)
				printf("%d %s\n", tid, call_name(tid));
			if (++n == kill_at)
				kill(program, SIGKILL);
		}
		ptrace(PTRACE_CONT, tid, NULL, (void *)(intptr_t)signal_of(status));
	}
	return result;
}

int
main(int argc, char **argv)
{
	int status;
	pid_t program;

	if (argc < 3)
		return 125;
	program = fork();
	if (program == 0)
		become(argv + 2);
	if (program < 0 || waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
		die("fork");
	if (ptrace(PTRACE_SETOPTIONS, program, NULL,
		   (void *)(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) != 0)
		die("ptrace");
	ptrace(PTRACE_CONT, program, NULL, NULL);
	return watch(program, strtoul(argv[1], NULL, 10));
}
