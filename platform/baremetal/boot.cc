// The first instructions: from what a boot loader leaves (32-bit protected mode, paging off) to
// 64-bit C++ with a stack. One ELF file is entered in two ways:
//
// - Multiboot 1 (Multiboot Specification 0.6.96, section 3): eax = 0x2BADB002, ebx = its
//   information. The header asks for loading as one block ("a.out kludge"), since a multiboot
//   loader reads no 64-bit ELF.
// - PVH (Xen, "x86/HVM direct boot ABI"): ebx = hvm_start_info. The note of type 18 says where.
//
// Physical memory below 4 GiB is mapped to itself, the first 2 MiB page by page: page 0 and the
// guard page below the stack are absent, so that a null pointer and a full stack are noticed.
// CR0.WP is set: without it the kernel's own writes would not respect read-only pages.
#include <cstddef>

namespace plurix::baremetal {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;
constexpr std::size_t kGuardBytes = 4096;

}  // namespace

extern "C" {
[[gnu::used, gnu::section(".bss.stack"), gnu::aligned(4096)]]
std::byte plurix_stack_begin[kGuardBytes + kStackBytes];
}

static_assert(kGuardBytes + kStackBytes == 0x41000, "the number in the code below");

asm(R"(
.section .boot.header, "a"
.align 8
.Lheader:
  .long 0x1BADB002
  .long 0x00010003               # modules on page bounds, memory map, addresses below
  .long -(0x1BADB002 + 0x00010003)
  .long .Lheader                 # where this header is
  .long plurix_image_begin       # load from
  .long plurix_load_end          # load to
  .long plurix_bss_end           # zeros to
  .long plurix_boot_multiboot    # enter at

.section .note.Xen, "a", @note
.align 4
  .long 4                        # "Xen\0"
  .long 8
  .long 18                       # XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .quad plurix_boot_pvh

.section .boot.text, "ax"
.code32
.globl plurix_boot_multiboot
.globl plurix_boot_pvh
plurix_boot_pvh:
  movl $0x336ec578, %eax
plurix_boot_multiboot:
  cli
  cld
  movl %eax, %esi                # who loaded us, kept through all of this in esi and ebx

  movl $plurix_bss_begin, %edi   # zeros: not every loader sees to it; both are page bounds
  xorl %eax, %eax
1: movl %eax, (%edi)             # no string instruction: they are slow in an emulator
  movl %eax, 4(%edi)
  movl %eax, 8(%edi)
  movl %eax, 12(%edi)
  movl %eax, 16(%edi)
  movl %eax, 20(%edi)
  movl %eax, 24(%edi)
  movl %eax, 28(%edi)
  addl $32, %edi
  cmpl $plurix_bss_end, %edi
  jb 1b

  movl $.Lpdpt + 3, .Lpml4
  movl $.Ldirectories + 3, %eax  # four page directories for 4 GiB
  movl $.Lpdpt, %edi
  movl $4, %ecx
1: movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  loop 1b

  movl $0x83, %eax               # 2048 large pages: present, writable, 2 MiB
  movl $.Ldirectories, %edi
  movl $2048, %ecx
1: movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 1b

  movl $3, %eax                  # the first of them page by page
  movl $plurix_first_table, %edi
  movl $512, %ecx
1: movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  loop 1b
  movl $plurix_first_table + 3, .Ldirectories
  movl $0, plurix_first_table    # null pointers
  movl $plurix_stack_begin, %eax
  shrl $12, %eax
  movl $0, plurix_first_table(,%eax,8)

  movl %cr4, %eax
  orl $0xA0, %eax                # PAE, PGE
  movl %eax, %cr4
  movl $.Lpml4, %eax
  movl %eax, %cr3
  movl $0xC0000080, %ecx         # EFER
  rdmsr
  orl $0x900, %eax               # LME, NXE
  wrmsr
  movl %cr0, %eax
  andl $0xFFFFFFFB, %eax         # no EM
  orl $0x80010003, %eax          # PG, WP, MP, PE
  movl %eax, %cr0
  lgdt .Lboot_gdt_pointer
  ljmpl $8, $.Llong_mode

.code64
.Llong_mode:
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  xorl %eax, %eax
  movl %eax, %fs
  movl %eax, %gs
  movl $plurix_stack_begin + 0x41000, %esp
  xorl %ebp, %ebp
  movl %esi, %edi
  movl %ebx, %esi
  call plurix_boot_entry
1: hlt
  jmp 1b

.align 8
.Lboot_gdt:
  .quad 0
  .quad 0x00AF9A000000FFFF       # code, 64 bits
  .quad 0x00CF92000000FFFF       # data
.Lboot_gdt_pointer:
  .word 23
  .long .Lboot_gdt

.section .bss.boot_tables, "aw", @nobits
.align 4096
.Lpml4:
  .skip 4096
.Lpdpt:
  .skip 4096
.Ldirectories:
  .skip 4 * 4096
.globl plurix_first_table
plurix_first_table:
  .skip 4096
.text
)");

}  // namespace plurix::baremetal
