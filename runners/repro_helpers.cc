// SPDX-License-Identifier: MIT
#include "runners/repro_helpers.h"

#include <cctype>

namespace mapspec {
namespace {

constexpr CPart kHelpers[] = {
    {"nothing_follows", R"(__attribute__((noreturn)))"
                        R"( static void nothing_follows(int operation, const char *why)
{
	printf("operation %d %s; what follows would prove nothing\n", operation, why);
	exit(2);
}

)"},
    {"unable", R"(__attribute__((noreturn)) static void unable(const char *what)
{
	printf("could not be carried out: %s: %s\n", what, strerror(errno));
	exit(2);
}

)"},
    {"outcome", R"(/* 0, or the errno of a libbpf function that returned -errno. */
static int outcome(long result)
{
	int err = result == -1 && errno != 0 ? errno : (int)-result;

	errno = 0;
	return err;
}

)"},
    {"system_outcome", R"(/* The same of a system call. */
static int system_outcome(long result)
{
	return result < 0 ? errno : 0;
}

)"},
    {"error_name", R"(static const char *error_name(int err)
{
	const char *name = err == 524 ? "ENOTSUPP" : strerrorname_np(err);

	return err == 0 ? "success" : name ? name : "an error without a name";
}

)"},
    {"must_succeed", R"(static void must_succeed(int operation, int err)
{
	if (err == 0)
		return;
	printf("operation %d: %s\n", operation, error_name(err));
	nothing_follows(operation, "fails, which it did not where the violation was seen");
}

)"},
    {"must_fail", R"(static void must_fail(int operation, int err)
{
	if (err == 0)
		nothing_follows(operation, "succeeds, which it did not where the violation was seen");
}

)"},
    {"poison", R"(/* What no call writes keeps this pattern. */
static void poison(unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(0xa5 ^ (i * 0x3b));
}

)"},
    {"is_poison", R"(/* Whether the bytes from `from` on are as poison() left them. */
static int is_poison(const unsigned char *bytes, size_t from, size_t size)
{
	for (size_t i = from; i < size; i++)
		if (bytes[i] != (unsigned char)(0xa5 ^ (i * 0x3b)))
			return 0;
	return 1;
}

)"},
    {"equal", R"(static int equal(const void *bytes, const void *wanted, size_t size)
{
	return memcmp(bytes, wanted, size) == 0;
}

)"},
    {"equal_where", R"(/* The same of the bytes that count, where the mask is not 0. */
static int equal_where(const unsigned char *bytes, const char *wanted, const char *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (mask[i] != 0 && bytes[i] != (unsigned char)wanted[i])
			return 0;
	return 1;
}

)"},
    {"are_elements", R"(struct elements {
	const char *keys, *values, *mask; /* One behind the other. Masks: which bytes count. */
	size_t count, key_size, value_size;
};

/* Whether the first `count` elements are different ones of those. */
static int are_elements(const unsigned char *keys, const unsigned char *values, unsigned count,
			struct elements of)
{
	for (unsigned n = 0; n < count; n++, keys += of.key_size, values += of.value_size) {
		size_t i = 0;

		while (i < of.count && memcmp(keys, of.keys + i * of.key_size, of.key_size) != 0)
			i++;
		if (i == of.count)
			return 0;
		for (size_t j = 0; j < of.value_size; j++) {
			size_t at = i * of.value_size + j;

			if (of.mask[at] != 0 && values[j] != (unsigned char)of.values[at])
				return 0;
		}
		for (unsigned m = 1; m <= n; m++)
			if (memcmp(keys, keys - m * of.key_size, of.key_size) == 0)
				return 0;
	}
	return 1;
}

)"},
    {"print_difference", R"(/* The rows of 16 bytes that differ. */
static void print_difference(const char *what, const void *wanted_bytes, const void *got_bytes,
			     size_t size)
{
	const unsigned char *wanted = wanted_bytes, *got = got_bytes;

	for (size_t row = 0; row < size; row += 16) {
		size_t end = row + 16 < size ? row + 16 : size;

		if (memcmp(wanted + row, got + row, end - row) == 0)
			continue;
		printf("%s, byte %zu\n  expected ", what, row);
		for (size_t i = row; i < end; i++)
			printf(" %02x", wanted[i]);
		printf("\n  got      ");
		for (size_t i = row; i < end; i++)
			printf(" %02x", got[i]);
		printf("\n           ");
		for (size_t i = row; i < end; i++)
			printf(" %s", wanted[i] == got[i] ? "  " : "^^");
		printf("\n");
	}
}

)"},
    {"print_bytes",
     R"(static void print_bytes(const char *what, const unsigned char *bytes, size_t size)
{
	printf("%s", what);
	for (size_t i = 0; i < size; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

)"},
    {"need_cpus", R"(/* Values of per-CPU maps are as long as the machine has possible CPUs. */
static void need_cpus(int count)
{
	if (libbpf_num_possible_cpus() == count)
		return;
	printf("could not be carried out: it takes a machine with %d possible CPUs\n", count);
	exit(2);
}

)"},
    {"pin_to", R"(/* Makes the next calls on that CPU; on any, for -1. */
static void pin_to(int cpu)
{
	static cpu_set_t all;
	cpu_set_t one;

	if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof(all), &all) != 0)
		unable("sched_getaffinity");
	CPU_ZERO(&one);
	if (cpu >= 0)
		CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), cpu >= 0 ? &one : &all) != 0)
		unable("sched_setaffinity");
}

)"},
    {"bad_pointer", R"(/* To memory that is not mapped. */
static void *bad_pointer(void)
{
	static void *page;

	if (page == NULL)
		page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page;
}

)"},
    {"set_capabilities", R"(/* Takes this thread's capabilities away, or gives them back. */
static void set_capabilities(int all)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		unable("capget");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = all ? data[i].permitted : 0;
	if (syscall(SYS_capset, &header, data) != 0)
		unable("capset");
}

)"},
    {"id_of", R"(/* The id of a map, whatever the map is. */
static unsigned id_of(int fd)
{
	struct bpf_map_info info = { 0 };
	unsigned size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
		unable("BPF_OBJ_GET_INFO_BY_FD");
	return info.id;
}

)"},
    {"mount_detached",
     R"(/* A file system of its own that is mounted nowhere and gone with the process. */
static int mount_detached(const char *type)
{
	int context = (int)syscall(SYS_fsopen, type, 1);
	int fd = -1;

	if (context >= 0 && syscall(SYS_fsconfig, context, 6, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, context, 1, 0);
	if (fd < 0)
		unable("mounting a private file system for pins");
	close(context);
	return fd;
}

)"},
    {"pin_path", R"(/* A path on a private bpffs. */
static const char *pin_path(const char *name)
{
	static int bpffs = -1;
	static char path[4096];

	if (bpffs < 0)
		bpffs = mount_detached("bpf");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", bpffs, name);
	return path;
}

)"},
    {"outside_path", R"(/* A path that is not on a bpffs. */
static const char *outside_path(const char *name)
{
	static int tmpfs = -1;
	static char path[4096];

	if (tmpfs < 0)
		tmpfs = mount_detached("tmpfs");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", tmpfs, name);
	return path;
}

)"},
    {"library_path", R"(/* Where a library keeps pins; the first process removes it. */
static char directory[64];

static const char *library_path(const char *name)
{
	static char path[4096];

	if (directory[0] == 0)
		return pin_path(name);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void remove_directory(void)
{
	DIR *open_directory = opendir(directory);
	struct dirent *entry;

	while (open_directory && (entry = readdir(open_directory)) != NULL)
		if (entry->d_name[0] != '.')
			unlink(library_path(entry->d_name));
	if (open_directory)
		closedir(open_directory);
	rmdir(directory);
}

)"},
    {"OTHER_ORDER", R"(#define OTHER_ORDER 99 /* Of script(): a hash was walked in another order. */

)"},
    {"choose_library",
     R"(/* Starts this program again with the library in front of libbpf, unless it is there. */
static void choose_library(int argc, char **argv, const char *usual)
{
	const char *there = getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "";
	const char *library = argc > 1 ? argv[1] : *there ? there : usual;
	Dl_info who;

	if (strcmp(library, "kernel") == 0)
		library = "";
	if (strcmp(library, there) != 0) {
		if (*library && access(library, R_OK) != 0)
			unable(library);
		setenv("LD_PRELOAD", library, 1);
		execv("/proc/self/exe", argv);
		unable("execv");
	}
	if (*library == 0) {
		printf("the kernel answers\n");
		return;
	}
	if (dladdr(dlsym(RTLD_DEFAULT, "bpf_map_create"), &who) == 0 ||
	    strstr(who.dli_fname, "libbpf.so")) {
		printf("could not be carried out: %s has no bpf_map_create()\n", library);
		exit(2);
	}
	printf("%s answers\n", who.dli_fname);
}

)"},
    {"on_thread", R"(/* Makes the call on another thread, which lives on, and waits for it. */
struct worker {
	pthread_t thread;
	sem_t start, done;
	int (*call)(void);
	int err, started;
};
static struct worker workers[8];

static void *work(void *argument)
{
	struct worker *me = argument;

	for (;;) {
		while (sem_wait(&me->start) != 0)
			;
		me->err = me->call();
		sem_post(&me->done);
	}
	return NULL;
}

static int on_thread(int number, int (*call)(void))
{
	struct worker *worker = &workers[number];

	worker->call = call;
	if (!worker->started) {
		sem_init(&worker->start, 0, 0);
		sem_init(&worker->done, 0, 0);
		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			unable("pthread_create");
		worker->started = 1;
	}
	sem_post(&worker->start);
	while (sem_wait(&worker->done) != 0)
		;
	return worker->err;
}

)"},
    {"record", R"(/* What a program and this process share: the value of an array map. */
struct record {
	uint64_t next, action, flags, argument;
	int64_t result;
	uint64_t visited, done;
};
static struct record *record;
static int control = -1;

)"},
    {"new_record", R"(static unsigned char *new_record(size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	size = (size + 4095) & ~(size_t)4095;
	if (control >= 0)
		close(control);
	control = bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", 4, (unsigned)size, 1, &opts);
	if (control < 0)
		unable("creating the array that a program works on");
	record = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
	if (record == MAP_FAILED)
		unable("mmap");
	return (unsigned char *)record;
}

)"},
    {"run_program", R"(static int refused;     /* The last program was not loaded. */
static int64_t returned; /* What its helper returned that is no errno. */

/* Loads the program and runs it once. 0, or an errno: of BPF_PROG_LOAD or of the helper. */
static int run_program(const struct bpf_insn *insns, size_t count, struct bpf_prog_load_opts *load)
{
	static const unsigned char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "repro", "MIT", insns, count, load);
	int err = 0;

	refused = fd < 0;
	returned = 0;
	if (fd < 0) {
		err = errno;
		if (err == EPERM || err == ENOMEM || err == EMFILE || err == ENOSYS || err == EAGAIN)
			unable("BPF_PROG_LOAD");
		return err;
	}
	/* A signal may end the run before the program has begun. */
	while (bpf_prog_test_run_opts(fd, &run) != 0 && record->done == 0)
		if (errno != EINTR && errno != EAGAIN)
			unable("BPF_PROG_TEST_RUN");
	close(fd);
	if (record->done != 1)
		unable("the program did not run to its end");
	if (record->result < 0 && record->result >= -4095)
		return (int)-record->result;
	returned = record->result;
	return 0;
}

)"},
    {"found", R"(/* Of a lookup: the program stores whether it got a pointer. */
static int found(int err)
{
	if (err == 0 && !refused && returned == 0)
		return ENOENT;
	returned = 0;
	return err;
}

)"},
};

constexpr CPart kHeaders[] = {
    {"libbpf_num_possible_cpus", "<bpf/libbpf.h>"},
    {"LIBBPF_OPTS", "<string.h>"},
    {"strsignal", "<string.h>"},
    {"strcpy", "<string.h>"},
    {"printf", "<stdio.h>"},
    {"snprintf", "<stdio.h>"},
    {"exit", "<stdlib.h>"},
    {"setenv", "<stdlib.h>"},
    {"getenv", "<stdlib.h>"},
    {"mkdtemp", "<stdlib.h>"},
    {"memcmp", "<string.h>"},
    {"memcpy", "<string.h>"},
    {"memset", "<string.h>"},
    {"strerror", "<string.h>"},
    {"strerrorname_np", "<string.h>"},
    {"strcmp", "<string.h>"},
    {"strncmp", "<string.h>"},
    {"strstr", "<string.h>"},
    {"errno", "<errno.h>"},
    {"ENOENT", "<errno.h>"},
    {"EINVAL", "<errno.h>"},
    {"EPERM", "<errno.h>"},
    {"close", "<unistd.h>"},
    {"fork", "<unistd.h>"},
    {"execv", "<unistd.h>"},
    {"unlink", "<unistd.h>"},
    {"syscall", "<unistd.h>"},
    {"read", "<unistd.h>"},
    {"write", "<unistd.h>"},
    {"alarm", "<unistd.h>"},
    {"access", "<unistd.h>"},
    {"rmdir", "<unistd.h>"},
    {"syscall", "<sys/syscall.h>"},
    {"mmap", "<sys/mman.h>"},
    {"munmap", "<sys/mman.h>"},
    {"eventfd", "<sys/eventfd.h>"},
    {"cpu_set_t", "<sched.h>"},
    {"pthread_t", "<pthread.h>"},
    {"sem_t", "<semaphore.h>"},
    {"waitpid", "<sys/wait.h>"},
    {"dladdr", "<dlfcn.h>"},
    {"poll", "<poll.h>"},
    {"socket", "<sys/socket.h>"},
    {"opendir", "<dirent.h>"},
    {"capget", "<linux/capability.h>"},
    {"SYS_capget", "<linux/capability.h>"},
    {"SIGALRM", "<signal.h>"},
    {"int64_t", "<stdint.h>"},
    {"uint32_t", "<stdint.h>"},
    {"uint64_t", "<stdint.h>"},
};

bool IsWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::span<const CPart> CHelpers() { return kHelpers; }
std::span<const CPart> CHeaders() { return kHeaders; }

bool HasWord(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsWordPart(text[at - 1])) && (end == text.size() || !IsWordPart(text[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace mapspec
