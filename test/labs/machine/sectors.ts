/**
 * Guests of one sector, each doing one thing. Each line is machine code and the assembly it comes from (AT&T, 16 bit, origin 0x7c00).
 * What they count lies at 0x600.
 */
const SECTOR_BYTES = 512;

const LISTINGS = {
  /** Halts with interrupts on, and counts what wakes it. */
  idle: `
    31c0 8ed8    | xor %ax,%ax; mov %ax,%ds
    fb f4        | sti; 1: hlt
    66ff060006   | incl 0x600
    ebf8         | jmp 1b
  `,
  /** Burns a processor with interrupts off. */
  spin: `
    fa ebfe      | cli; 1: jmp 1b
  `,
  /** Halts with interrupts off: nothing wakes it. */
  dead: `
    fa f4 ebfd   | cli; 1: hlt; jmp 1b
  `,
  /** Writes "Saä █╔═╗☺!" white on blue into row 3, from column 10, then halts. */
  screen: `
    b800b8 8ec0  | mov $0xb800,%ax; mov %ax,%es
    0e 1f fc     | push %cs; pop %ds; cld
    be1c7c       | mov $text,%si
    bff401       | mov $500,%di
    b41f         | mov $0x1f,%ah
    ac 84c0      | 1: lodsb; test %al,%al
    7403         | jz 2f
    ab ebf8      | stosw; jmp 1b
    fb f4 ebfc   | 2: sti; hlt; jmp 2b
    53618420dbc9cdbb012100 | text:
  `,
  /** Asks the keyboard controller for a reset, again and again. */
  reset: `
    b0fe e664    | mov $0xfe,%al; out %al,$0x64
    f4 ebfd      | 1: hlt; jmp 1b
  `,
  /** Writes 32 KiB after 32 KiB to the first disk, and counts it. */
  writer: `
    31c0 8ed8 8ed0 | xor %ax,%ax; mov %ax,%ds; mov %ax,%ss
    bc007c fb    | mov $0x7c00,%sp; sti
    b80043 b280  | 1: mov $0x4300,%ax; mov $0x80,%dl
    be217c cd13  | mov $packet,%si; int $0x13
    66ff060006   | incl 0x600
    668306297c40 | addl $64,lba
    ebe9         | jmp 1b
    10004000 00800000 | packet: 64 sectors from 0x8000
    4000000000000000  | lba:
  `,
  /** Never stops talking on the first serial line: all that lies in the first 64 KiB, again and again. */
  talker: `
    baf803 fc    | mov $0x3f8,%dx; cld
    31f6 b9ffff  | 1: xor %si,%si; mov $0xffff,%cx
    f36e ebf7    | rep outsb; jmp 1b
  `,
  /** Sets the keyboard's lights as its keys say, and shows every character, from the keyboard or the serial line, on the screen and the line. */
  echo: `
    31c0 8ed8    | xor %ax,%ax; mov %ax,%ds
    fb f4        | sti; 1: hlt
    a01704 2440  | mov 0x417,%al; and $0x40,%al    # the BIOS keeps the locks there
    38060006 7414 | cmp %al,0x600; je 2f
    a20006       | mov %al,0x600
    fa 88c3      | cli; mov %al,%bl
    b0ed e82c00  | mov $0xed,%al; call send
    88d8 c0e804  | mov %bl,%al; shr $4,%al
    e82400 fb    | call send; sti
    bafd03 ec a801 | 2: mov $0x3fd,%dx; in %dx,%al; test $1,%al
    baf803 7403  | mov $0x3f8,%dx; jz 5f
    ec eb0a      | in %dx,%al; jmp 6f
    b401 cd16 74cc | 5: mov $1,%ah; int $0x16; jz 1b
    30e4 cd16    | xor %ah,%ah; int $0x16
    50           | 6: push %ax
    b40e 31db cd10 | mov $0x0e,%ah; xor %bx,%bx; int $0x10
    58 ee ebbd   | pop %ax; out %al,%dx; jmp 1b
    50           | send: push %ax
    e464 a802 75fa | 3: in $0x64,%al; test $2,%al; jnz 3b
    58 e660      | pop %ax; out %al,$0x60
    e464 a801 74fa | 4: in $0x64,%al; test $1,%al; jz 4b
    e460 c3      | in $0x60,%al; ret
  `,
  /**
   * Drives the virtio card in slot 4 (as before virtio 1.0): sends a broadcast of 60 bytes, type 0x88b5, again and again; counts at
   * 0x600 what it gave, at 0xe002 what was taken. What it receives lies at 0xb00a, and 0xa002 counts it.
   */
  sender: `
    31c0 8ed8 8ec0 8ed0 | xor %ax,%ax; mov %ax,%ds; mov %ax,%es; mov %ax,%ss
    bc007c fc    | mov $0x7c00,%sp; cld
    bf0080 31c0 b90040 f3ab | mov $0x8000,%di; xor %ax,%ax; mov $0x4000,%cx; rep stosw
    beb87c bf0ab8 b91600 f3a4 | mov $frame,%si; mov $0xb80a,%di; mov $22,%cx; rep movsb
    66b804200080 baf80c 66ef  | mov $0x80002004,%eax; mov $0xcf8,%dx; out %eax,%dx
    bafc0c 66ed 0c05 66ef     | mov $0xcfc,%dx; in %dx,%eax; or $5,%al; out %eax,%dx
    66b810200080 baf80c 66ef  | mov $0x80002010,%eax; mov $0xcf8,%dx; out %eax,%dx
    bafc0c ed 83e0fc 89c5     | mov $0xcfc,%dx; in %dx,%ax; and $0xfffc,%ax; mov %ax,%bp
    8d5612 b003 ee            | lea 18(%bp),%dx; mov $3,%al; out %al,%dx
    31c0 b90800 e85300        | xor %ax,%ax; mov $8,%cx; call queue
    b80100 b90c00 e84a00      | mov $1,%ax; mov $0xc,%cx; call queue
    66c706008000b00000 66c7060880f6050000 | movl $0xb000,0x8000; movl $1526,0x8008
    c7060c800200 c70602900100 | movw $2,0x800c; movw $1,0x9002
    66c70600c000b80000 66c70608c046000000 | movl $0xb800,0xc000; movl $70,0xc008
    8d5612 b007 ee fb         | lea 18(%bp),%dx; mov $7,%al; out %al,%dx; sti
    ff0602d0 66ff060006       | 1: incw 0xd002; incl 0x600
    8d5610 b80100 ef          | lea 16(%bp),%dx; mov $1,%ax; out %ax,%dx
    f4 ebed                   | hlt; jmp 1b
    8d560e ef 8d5608          | queue: lea 14(%bp),%dx; out %ax,%dx; lea 8(%bp),%dx
    660fb7c1 66ef c3          | movzwl %cx,%eax; out %eax,%dx; ret
    ffffffffffff02000000000188b5696e20686572653f | frame:
  `,
};

export type Sector = keyof typeof LISTINGS;

export function sector(name: Sector): Buffer {
  const code = LISTINGS[name].split('\n').map((line) => line.split('|')[0]?.replaceAll(' ', '') ?? '');
  const bytes = Buffer.alloc(SECTOR_BYTES);
  bytes.write(code.join(''), 'hex');
  bytes.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
  return bytes;
}
