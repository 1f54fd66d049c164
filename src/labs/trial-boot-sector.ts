import { bootSectorOf } from './boot-sector.js';

/**
 * A boot sector that proves that guest code really runs: it waits for a timer interrupt, builds page tables, goes to long mode,
 * and leaves through QEMU's isa-debug-exit device, whose exit code is (value << 1) | 1.
 * Each line is machine code and the assembly it comes from (AT&T, origin 0x7c00).
 */
const LISTING = `
  fa                    | cli
  31c0 8ed8 8ec0 8ed0   | xor %ax,%ax; mov %ax,%ds; mov %ax,%es; mov %ax,%ss
  bc007c                | mov $0x7c00,%sp
  ea117c0000            | ljmp $0,$1f
  fb                    | 1: sti
  8b1e6c04              | mov 0x46c,%bx          # the BIOS counts timer interrupts here
  f4                    | 2: hlt
  3b1e6c04 74f9         | cmp 0x46c,%bx; je 2b
  fa fc                 | cli; cld
  66bf00100000          | mov $0x1000,%edi       # three empty page tables
  6631c0                | xor %eax,%eax
  66b9000c0000 66f3ab   | mov $0xc00,%ecx; rep stosl
  66c706001003200000    | movl $0x2003,0x1000    # the first 2 MiB onto themselves
  66c706002003300000    | movl $0x3003,0x2000
  66c706003083000000    | movl $0x83,0x3000
  66b800100000 0f22d8   | mov $0x1000,%eax; mov %eax,%cr3
  0f20e0 6683c820       | mov %cr4,%eax; or $0x20,%eax
  0f22e0                | mov %eax,%cr4
  66b9800000c0 0f32     | mov $0xc0000080,%ecx; rdmsr
  660d00010000 0f30     | or $0x100,%eax; wrmsr
  660f0116b87c          | lgdtl gdtr
  0f20c0 660d01000080   | mov %cr0,%eax; or $0x80000001,%eax
  0f22c0                | mov %eax,%cr0
  ea867c0800            | ljmp $8,$long
  48b8efcdab8967452301  | long: movabs $0x0123456789abcdef,%rax
  48c1e820              | shr $32,%rax           # only a 64-bit register still holds the upper half
  3d67452301 750a       | cmp $0x01234567,%eax; jne 3f
  31c0 0fa2 0f31        | xor %eax,%eax; cpuid; rdtsc
  b02a e6f4             | mov $0x2a,%al; out %al,$0xf4
  f4 ebfd               | 3: hlt; jmp 3b
  0000000000000000      | gdt: null
  00000000009a2000      | gdt: 64-bit code
  0f00 a87c0000         | gdtr: limit, address
`;

/** What QEMU exits with when the sector ran to its end. */
export const TRIAL_EXIT_CODE = (0x2a << 1) | 1;

/** QEMU's device that the sector writes to. */
export const TRIAL_EXIT_DEVICE = 'isa-debug-exit,iobase=0xf4,iosize=4';

export const trialBootSector = (): Buffer => bootSectorOf(LISTING);
