/* lines.c: which lines of memory an instruction of the runner is about to touch, told by the supervisor. */
#include "host/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined __x86_64__ && __has_include(<Zydis/Disassembler.h>) /* which came with version 4 */
#include <Zydis/Zydis.h>
#define HAVE_ZYDIS 1
#else
#define HAVE_ZYDIS 0
#endif

const char *lines_impossible(void)
{
#if HAVE_ZYDIS
    return NULL;
#elif defined __x86_64__
    return "this was built without Zydis 4, which decodes instructions: install libzydis-dev and build again";
#else
    return "instructions are decoded for x86-64 alone";
#endif
}

#if HAVE_ZYDIS

#include <cpuid.h>
#include <sys/ptrace.h>
#include <sys/user.h>

/* A set of line numbers, open addressing. 0 is no line that anybody could touch. */
#define SLOTS (1u << 18)

#define ROWS        16u  /* of a tile, and the elements of a gather that has no register to tell */
#define CALL_LINES  16u  /* of a system call: fewer than the kernel touches for any */
#define CODE_64_BIT 0x33 /* the code segment of 64-bit code under Linux */

struct lines {
    ZydisDecoder decoder;
    uint64_t slot[SLOTS];
    uint32_t used[LINES_MOST], count; /* places in slot[], to forget them */
    bool called;                      /* the last instruction was a system call, perhaps a marker */
    bool unknown;                     /* the instruction at unknown_at was not decoded */
    uint64_t unknown_at;
    uint64_t state_bytes; /* the most that xsave writes here */
};

struct lines *lines_create(void)
{
    struct lines *l = calloc(1, sizeof *l);
    if (l && !ZYAN_SUCCESS(ZydisDecoderInit(&l->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
        free(l);
        return NULL;
    }
    unsigned a, c, d, bytes;
    if (l && __get_cpuid_count(0xd, 0, &a, &bytes, &c, &d))
        l->state_bytes = bytes;
    return l;
}

void lines_forget(struct lines *l)
{
    while (l->count > 0)
        l->slot[l->used[--l->count]] = 0;
    l->called = false;
}

/* 1 if the line is new, 0 if it was touched before, -E2BIG if there is no more room. */
static int touch(struct lines *l, uint64_t line)
{
    uint32_t i = (uint32_t)(line * UINT64_C(0x9e3779b97f4a7c15) >> 46);
    for (; l->slot[i]; i = (i + 1) % SLOTS) {
        if (l->slot[i] == line)
            return 0;
    }
    if (l->count == LINES_MOST)
        return -E2BIG;
    l->slot[i] = line;
    l->used[l->count++] = i;
    return 1;
}

static int touch_bytes(struct lines *l, uint64_t first, uint64_t bytes)
{
    int fresh = 0;
    for (uint64_t line = first / LINE_BYTES; line <= (first + bytes - 1) / LINE_BYTES; line++) {
        const int code = touch(l, line + 1);
        if (code < 0)
            return code;
        fresh += code;
    }
    return fresh;
}

/* ---- where an operand lies ---- */

struct instruction {
    ZydisDecodedInstruction is;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
    struct user_regs_struct r; /* as it finds them */
};

static uint64_t value_of(const struct instruction *in, ZydisRegister name)
{
    const struct user_regs_struct *r = &in->r;
    const unsigned long long general[] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                                          r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};
    const ZyanI8 id = ZydisRegisterGetId(name);
    switch (ZydisRegisterGetClass(name)) {
    case ZYDIS_REGCLASS_IP:
        return r->rip + in->is.length;
    case ZYDIS_REGCLASS_GPR64:
        return general[id];
    case ZYDIS_REGCLASS_GPR32:
        return (uint32_t)general[id];
    case ZYDIS_REGCLASS_GPR16:
        return (uint16_t)general[id];
    default:
        return 0;
    }
}

/* bt, bts, btr and btc with a register count bits from the address on, backwards too. */
static uint64_t bit_offset(const struct instruction *in, const ZydisDecodedOperand *o)
{
    const ZydisMnemonic m = in->is.mnemonic;
    if ((m != ZYDIS_MNEMONIC_BT && m != ZYDIS_MNEMONIC_BTS && m != ZYDIS_MNEMONIC_BTR && m != ZYDIS_MNEMONIC_BTC) ||
        in->operand[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return 0;
    const uint64_t value = value_of(in, in->operand[1].reg.value);
    const int64_t bit = o->size == 16 ? (int16_t)value : o->size == 32 ? (int32_t)value : (int64_t)value;
    return (uint64_t)((bit >= 0 ? bit / o->size : -((o->size - 1 - bit) / o->size)) * (o->size / 8));
}

static uint64_t address_of(const struct instruction *in, const ZydisDecodedOperand *o)
{
    uint64_t address = value_of(in, o->mem.base) + value_of(in, o->mem.index) * o->mem.scale +
                       (uint64_t)o->mem.disp.value + bit_offset(in, o);
    if (in->is.mnemonic == ZYDIS_MNEMONIC_XLAT)
        address += in->r.rax & 0xff;
    if (in->is.address_width == 32)
        address = (uint32_t)address;
    return address + (o->mem.segment == ZYDIS_REGISTER_FS   ? in->r.fs_base
                      : o->mem.segment == ZYDIS_REGISTER_GS ? in->r.gs_base
                                                            : 0);
}

/* How many elements a gather or scatter has: as many as the register that they go to or come from. */
static int elements(const struct instruction *in, const ZydisDecodedOperand *o)
{
    for (uint8_t i = 0; i < in->is.operand_count_visible; i++) {
        const ZydisDecodedOperand *data = &in->operand[i];
        if (data->type == ZYDIS_OPERAND_TYPE_REGISTER && data->size >= 128 && o->size)
            return data->size / o->size;
    }
    return ROWS;
}

static int operand(struct lines *l, const struct instruction *in, const ZydisDecodedOperand *o)
{
    if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
        o->mem.type == ZYDIS_MEMOP_TYPE_MIB)
        return 0;
    if (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
        return elements(in, o);
    if (o->size == 0) /* the rows of a tile */
        return ROWS;
    uint64_t bytes = o->size / 8, first = address_of(in, o);
    if ((in->is.meta.category == ZYDIS_CATEGORY_XSAVE || in->is.meta.category == ZYDIS_CATEGORY_XSAVEOPT) &&
        bytes < l->state_bytes)
        bytes = l->state_bytes; /* Zydis knows of the part alone that is always there */
    /* What a push or a call writes lies below the stack pointer that it finds. */
    if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && o->mem.base == ZYDIS_REGISTER_RSP &&
        (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        first -= bytes;
    return touch_bytes(l, first, bytes);
}

/* No compiler writes these. After a mov to ss the processor does not stop before the next instruction; enter with
 * levels copies a list of frames; 32-bit code means other things by the same bytes; clzero has no operand. */
static bool hides(const struct instruction *in)
{
    const ZydisDecodedOperand *o = in->operand;
    switch (in->is.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        return o[0].type == ZYDIS_OPERAND_TYPE_REGISTER && o[0].reg.value == ZYDIS_REGISTER_SS;
    case ZYDIS_MNEMONIC_ENTER:
        return o[1].imm.value.u % 32 != 0;
    case ZYDIS_MNEMONIC_CLZERO:
        return true;
    default:
        return false;
    }
}

/* A repeated string instruction is stopped at before each repetition, and when none is left it touches nothing. */
static bool repeats_no_more(const struct instruction *in)
{
    const uint64_t left = in->is.address_width == 32 ? (uint32_t)in->r.rcx : in->r.rcx;
    return left == 0 && (in->is.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE));
}

/* Reads it each time anew: code can change. By whole aligned words, since the page behind may be none. */
static bool decode(const struct lines *l, pid_t runner, struct instruction *in)
{
    unsigned char code[24]; /* the longest instruction has 15 */
    const size_t skip = in->r.rip % 8;
    for (size_t size = 0; size < sizeof code; size += 8) {
        errno = 0;
        const long word = ptrace(PTRACE_PEEKTEXT, runner, (void *)(uintptr_t)(in->r.rip - skip + size), NULL);
        if (word == -1 && errno)
            return false;
        memcpy(code + size, &word, 8);
        if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&l->decoder, code + skip, size + 8 - skip, &in->is, in->operand)))
            return true;
    }
    return false;
}

int lines_step(struct lines *l, pid_t runner)
{
    struct instruction in;
    if (ptrace(PTRACE_GETREGS, runner, NULL, &in.r) < 0)
        return -errno;
    if (in.r.cs != CODE_64_BIT)
        return -EPERM;
    /* What can't be decoded is about to crash. If it did not, it touched something that was not seen. */
    if (l->unknown && in.r.rip != l->unknown_at)
        return -EILSEQ;
    int fresh = l->called ? (int)CALL_LINES : 0;
    l->called = false;
    l->unknown = !decode(l, runner, &in);
    l->unknown_at = in.r.rip;
    if (l->unknown || in.is.mnemonic == ZYDIS_MNEMONIC_NOP || repeats_no_more(&in))
        return fresh;
    if (hides(&in))
        return -EPERM;
    l->called = in.is.mnemonic == ZYDIS_MNEMONIC_SYSCALL;
    for (uint8_t i = 0; i < in.is.operand_count; i++) {
        const int more = operand(l, &in, &in.operand[i]);
        if (more < 0)
            return more;
        fresh += more;
    }
    return fresh;
}

#else

struct lines {
    int nothing;
};

struct lines *lines_create(void)
{
    return NULL;
}

int lines_step(struct lines *lines, pid_t runner)
{
    (void)lines, (void)runner;
    return -ENOSYS;
}

void lines_forget(struct lines *lines)
{
    (void)lines;
}

#endif
