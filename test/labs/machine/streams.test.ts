/** What never stops is kept in part and counted in full; lengths of packets are believed within bounds. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ErrorStream } from '../../../src/labs/machine/error-stream.js';
import { GuestClock } from '../../../src/labs/machine/guest-clock.js';
import { HeadTail } from '../../../src/labs/machine/head-tail.js';
import { EventLog } from '../../../src/labs/machine/machine-events.js';
import { framed } from '../../../src/labs/machine/network/framing.js';
import { PacketReader } from '../../../src/labs/machine/packet-reader.js';
import { frameOf, TapCard } from '../../../src/labs/machine/tap-card.js';

const chunks = fc.array(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.map((byte) => 97 + (byte % 26)))),
  { maxLength: 20 },
);

describe('HeadTail', () => {
  it('keeps both ends, however it comes in pieces', () => {
    fc.assert(
      fc.property(chunks, (pieces) => {
        const kept = new HeadTail(16);
        for (const piece of pieces) kept.add(piece);
        const all = Buffer.concat(pieces).toString();
        expect(kept.totalBytes).toBe(all.length);
        const left = all.length - 32;
        expect(kept.text()).toBe(left > 0 ? `${all.slice(0, 16)}\n[${left} bytes left out]\n${all.slice(-16)}` : all);
      }),
    );
  });

  it('keeps the end of one large piece', () => {
    const kept = new HeadTail(4);
    kept.add(Buffer.from('0123456789abcdef'));
    kept.add(Buffer.from('gh'));
    expect(kept.text()).toBe('0123\n[10 bytes left out]\nefgh');
  });
});

describe('ErrorStream', () => {
  it('counts changes of the lights, and keeps the rest', () => {
    const stream = new ErrorStream();
    const text = 'ps2_set_ledstate 0x5 ledstate 2\nqemu: a word\n12@1.5:ps2_set_ledstate 0x5 ledstate 6\nps2_set_ledstate 0x5 ledstate 6\nlast';
    for (const character of text) stream.add(Buffer.from(character));
    expect(stream.lightChanges).toBe(2);
    expect(stream.text()).toBe('qemu: a word\nlast');
  });

  it('stays small whatever comes', () => {
    const stream = new ErrorStream();
    for (let round = 0; round < 300; round++) stream.add(Buffer.alloc(10_000, 'x'));
    for (let round = 0; round < 3000; round++) stream.add(Buffer.from(`${'y'.repeat(1000)}\n`));
    expect(stream.text().length).toBeLessThan(200_000);
  });
});

describe('GuestClock', () => {
  it("stands still while the machine is paused, and the wall's does not", () => {
    let now = 100;
    const clock = new GuestClock(() => now);
    const steps = (ms: number) => {
      now += ms;
      return [clock.wallMs, clock.guestMs];
    };
    expect(steps(50)).toEqual([0, 0]);
    clock.resumed();
    expect(steps(10)).toEqual([10, 10]);
    clock.resumed();
    clock.paused();
    clock.paused();
    expect(steps(1000)).toEqual([1010, 10]);
    clock.resumed();
    expect(steps(5)).toEqual([1015, 15]);
  });

  it('runs ahead as QEMU says, from where it began', () => {
    let now = 0;
    const clock = new GuestClock(() => now);
    clock.drifted(null);
    clock.drifted(-500);
    clock.resumed();
    now = 1000;
    expect(clock.guestMs).toBe(1000);
    clock.drifted(-60_500);
    expect([clock.wallMs, clock.guestMs]).toEqual([1000, 61_000]);
    clock.paused();
    now = 2000;
    expect([clock.wallMs, clock.guestMs]).toEqual([2000, 61_000]);
  });
});

describe('EventLog', () => {
  it('keeps the last thousand of those that say something of the guest', () => {
    let now = 0;
    const log = new EventLog(new GuestClock(() => now));
    log.add({ event: 'RESUME', data: {} });
    for (let round = 0; round < 1500; round++) {
      now = round;
      log.add({ event: 'RESET', data: { guest: true, round } });
      log.add({ event: 'NIC_RX_FILTER_CHANGED', data: {} });
    }
    expect(log.all).toHaveLength(1000);
    expect(log.all.at(-1)).toEqual({ wallMs: 1499, guestMs: 1499, event: 'RESET', data: { guest: true, round: 1499 } });
    expect(log.all[0]?.data).toMatchObject({ round: 500 });
  });
});

const packet = (header: Buffer, frame: Buffer) => {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(header.length + frame.length, 0);
  lengths.writeUInt32BE(header.length, 4);
  return Buffer.concat([lengths, header, frame]);
};

describe('PacketReader', () => {
  it('finds the same packets however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 12, maxLength: 60 }), { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (bodies, size) => {
        const stream = Buffer.concat(bodies.map((body) => packet(Buffer.from(body.subarray(0, 12)), Buffer.from(body.subarray(12)))));
        const reader = new PacketReader();
        const found: Buffer[] = [];
        for (let at = 0; at < stream.length; at += size)
          found.push(...(reader.push(stream.subarray(at, at + size)) ?? []).map(({ bytes }) => Buffer.from(bytes)));
        expect(found).toEqual(bodies.map((body) => Buffer.from(body)));
      }),
    );
  });

  it('does not wait for a packet that no card sends', () => {
    expect(new PacketReader().push(Buffer.from('ffffffff0000000c', 'hex'))).toBeNull();
    expect(new PacketReader().push(Buffer.from('00000010ffffffff', 'hex'))).toBeNull();
  });
});

describe('frameOf', () => {
  it('makes a checksum good that a tap would have made', () => {
    // UDP over IPv4 10.0.0.1:1 to 10.0.0.2:2 with 4 bytes; the field holds the sum of the pseudo header, not yet inverted.
    const start = 14 + 20;
    const frame = Buffer.alloc(start + 12);
    frame.set([0, 1, 0, 2, 0, 12, 0, 0, 1, 2, 3, 4], start);
    const pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 12;
    frame.writeUInt16BE(pseudo, start + 6);
    const header = Buffer.alloc(12);
    header[0] = 1;
    header.writeUInt16LE(start, 6);
    header.writeUInt16LE(6, 8);
    const whole = frameOf(Buffer.concat([header, frame]), 12);
    const expected = ~(pseudo + 1 + 2 + 12 + 0x0102 + 0x0304) & 0xffff;
    expect(whole?.readUInt16BE(start + 6)).toBe(expected);
  });

  it('never reads outside a packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0, 10, 12, 64), (bytes, headerBytes) => {
        const frame = frameOf(Buffer.from(bytes), headerBytes);
        if (frame && headerBytes > 0) expect(frame.length).toBe(bytes.length - headerBytes);
      }),
    );
  });
});

describe('TapCard', () => {
  async function pair(): Promise<[Socket, Socket]> {
    const folder = mkdtempSync(join(tmpdir(), 'sp-tap-'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    const ours = createConnection(join(folder, 's'));
    const theirs = await new Promise<Socket>((resolve) => server.once('connection', resolve));
    onTestFinished(() => {
      for (const each of [ours, theirs]) each.destroy();
      server.close();
      rmSync(folder, { recursive: true });
    });
    return [ours, theirs];
  }

  it('looks like any other card, both ways', async () => {
    const [[from, guestOut], [to, guestIn]] = [await pair(), await pair()];
    const card = new TapCard(from, to);
    const seen = new Promise<Buffer>((resolve) => card.once('data', resolve));
    guestOut.write(packet(Buffer.alloc(10), Buffer.from('from the guest')));
    expect(await seen).toEqual(framed(Buffer.from('from the guest')));
    const got = new Promise<Buffer>((resolve) => guestIn.once('data', resolve));
    card.write(framed(Buffer.from('to the guest')));
    expect(await got, 'with a header as long as that of the guest').toEqual(packet(Buffer.alloc(10), Buffer.from('to the guest')));
    card.destroy();
  });

  it('always takes what QEMU sends, and loses what nobody reads', async () => {
    const [[from, guestOut], [to]] = [await pair(), await pair()];
    const card = new TapCard(from, to);
    const large = packet(Buffer.alloc(12), Buffer.alloc(60_000));
    for (let round = 0; round < 200; round++) await new Promise<void>((resolve) => guestOut.write(large, () => resolve()));
    expect(card.readableLength).toBeLessThan(5 * 2 ** 20);
    card.destroy();
  });
});
