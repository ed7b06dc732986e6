// Counts the ARM instructions that a program executes under qemu, for `cargo xtask count-arm`. A mark is the system call
// getpriority(0x5151, region): a line on standard error then says what was executed since the mark before.
//
// A plugin for the first version of qemu's interface, which is Debian bookworm's. Debian has no header for it, so that what is
// used of it is declared here. qemu adds to the counters without atomics: the program must have one thread.

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t Id;
typedef struct qemu_info_t Info;
typedef struct qemu_plugin_tb Block;
typedef struct qemu_plugin_insn Instruction;
enum qemu_plugin_op { ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(Id, void (*)(Id, Block *));
void qemu_plugin_register_vcpu_tb_exec_inline(Block *, enum qemu_plugin_op, void *counter, uint64_t addend);
void qemu_plugin_register_vcpu_syscall_cb(Id, void (*)(Id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                                                       uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
size_t qemu_plugin_tb_n_insns(const Block *);
Instruction *qemu_plugin_tb_get_insn(const Block *, size_t);
const void *qemu_plugin_insn_data(const Instruction *);

EXPORT int qemu_plugin_version = 1;

// As the architecture's manual divides all instructions, by four of their bits. What is in the first class alone computes with
// integers.
static const struct {
    const char *name;
    uint32_t mask, bits;
} classes[] = {
    {"instructions", 0, 0},
    {"memory", 0x0a000000, 0x08000000},
    {"vector", 0x0e000000, 0x0e000000},
    {"branch", 0x1c000000, 0x14000000},
};
enum { CLASSES = sizeof classes / sizeof *classes };

static uint64_t executed[CLASSES];

// A block is translated once, and executed from its beginning to its end each time.
static void count_block(Id id, Block *block) {
    (void)id;
    uint64_t in_block[CLASSES] = {0};
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
        for (int class = 0; class < CLASSES; class++)
            in_block[class] += (word & classes[class].mask) == classes[class].bits;
    }
    for (int class = 0; class < CLASSES; class++)
        if (in_block[class])
            qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed[class], in_block[class]);
}

static void on_system_call(Id id, unsigned cpu, int64_t number, uint64_t first, uint64_t second, uint64_t a3, uint64_t a4,
                           uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
    (void)id, (void)cpu, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    const int64_t getpriority = 141;
    if (number != getpriority || first != 0x5151)
        return;
    fprintf(stderr, "counted %" PRIu64, second);
    for (int class = 0; class < CLASSES; class++)
        fprintf(stderr, " %s=%" PRIu64, classes[class].name, executed[class]);
    fputc('\n', stderr);
    memset(executed, 0, sizeof executed);
}

EXPORT int qemu_plugin_install(Id id, const Info *info, int argc, char **argv) {
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    return 0;
}
