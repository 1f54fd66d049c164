/**
 * The loop over the records of a log, in WebAssembly. It does what `findMtrEnd` and `visitMtr` (format/mini-transaction.ts, which describes
 * the bytes) do for the records that logs are full of: it notes the pages that they name, and leaves all that is rarer to these.
 * The checksum of a mini-transaction is not looked at: its bytes are made ready for a proof of all of them together (`prepareMessage`).
 */
import { type Code, I32, type WasmFunction, wasm } from '../../../../src/bytes/wasm-assembler.js';
import { MAX_MTR_BYTES, RECORD, TRIM_PAGES } from '../../format/mini-transaction.js';

/** Of the end byte and the CRC. */
export const TRAILER_BYTES = 5;

/** Why the loop ended: more bytes are needed; there is no mini-transaction of this lap; it is left to others; no room for another page. */
export const STOP = { short: 0, bad: 1, odd: 2, full: 3 } as const;

/** Four words for each page that is named: bits of the record's type, tablespace, page, address after the mini-transaction. */
export const NAME_WORDS = 4;
const NAME_BYTES = 4 * NAME_WORDS;

export interface RecordAddresses {
  /** Where the words of the first page go, and from where on there is no room for another. */
  names: number;
  namesEnd: number;
  /** Four words: where the next mini-transaction starts, how many there were, why it stopped, after the last name. */
  out: number;
}

// Parameters: where to start, where bytes end, the end byte and from where on it is the other, whether names are asked for.
const AT = 0;
const LIMIT = 1;
const END_BYTE = 2;
const LAP_END = 3;
const NAMES_ASKED = 4;
// Locals.
const RECORD_AT = 5;
const FIRST = 6; // byte of the record
const NEXT = 7; // record
const BODY = 8; // what comes next of the record
const BYTE = 9;
const SPACE = 10;
const PAGE = 11;
const NAME = 12; // where the next one goes
const OWN_NAMES = 13; // where those of this mini-transaction begin
const IS_ODD = 14;
const ON_PAGE = 15; // type of the last record that names a page; zero before one, and after one that frees it
const COUNT = 16;
const TYPE = 17;
const LEFT = 18;
const LAST = 18;

const { localGet: get, localSet: set, localTee: tee, i32Const: number } = wasm;

export function recordLoop(addresses: RecordAddresses): WasmFunction {
  const stop = (why: number) => stopWith(addresses.out, why);
  const mtr = [
    [get(AT), set(RECORD_AT), number(0), set(IS_ODD), number(0), set(ON_PAGE)],
    wasm.block(wasm.loop([records(stop, addresses.namesEnd), wasm.leave(0)])),
    [get(RECORD_AT), get(AT), wasm.i32Eq, wasm.when(stop(STOP.bad))],
    [get(FIRST), get(END_BYTE), get(RECORD_AT), get(LAP_END), wasm.i32GeU, wasm.i32Xor, wasm.i32Ne, wasm.when(stop(STOP.bad))],
    [get(RECORD_AT), number(TRAILER_BYTES), wasm.i32Add, tee(NEXT), get(LIMIT), wasm.i32GtU, wasm.when(stop(STOP.short))],
    [get(IS_ODD), wasm.when(stop(STOP.odd))],
    finishNames(),
    prepare(),
    [get(COUNT), number(1), wasm.i32Add, set(COUNT), get(NEXT), set(AT)],
  ];
  return {
    parameters: 5,
    locals: Array<number>(LAST - NAMES_ASKED).fill(I32),
    body: [number(addresses.names), tee(NAME), set(OWN_NAMES), wasm.loop([mtr, wasm.leave(0)])],
  };
}

function stopWith(out: number, why: number): Code {
  const word = (i: number, value: Code) => [number(0), value, wasm.i32Store(out + 4 * i)];
  return [word(0, get(AT)), word(1, get(COUNT)), word(2, number(why)), word(3, get(OWN_NAMES)), wasm.finish];
}

/** One record. Leaves the block around the loop at the end byte. */
function records(stop: (why: number) => Code, namesEnd: number): Code {
  return [
    [get(RECORD_AT), get(LIMIT), wasm.i32GeU, wasm.when(stop(STOP.short))],
    [get(RECORD_AT), wasm.i32Load8U(0), tee(FIRST), number(1), wasm.i32LeU, wasm.leaveWhen(1)],
    [get(RECORD_AT), get(AT), wasm.i32Sub, number(MAX_MTR_BYTES), wasm.i32GeU, wasm.when(stop(STOP.bad))],
    [get(RECORD_AT), number(1), wasm.i32Add, set(BODY)],
    [get(FIRST), number(15), wasm.i32And, tee(BYTE)],
    // Short: the length stands here. Else in a varint, which counts itself, less 15.
    wasm.choose([get(BODY), get(BYTE), wasm.i32Add, set(NEXT)], longRecord(stop)),
    [get(NEXT), get(LIMIT), wasm.i32GeU, wasm.when(stop(STOP.short))],
    [get(NAMES_ASKED), wasm.when(look(stop(STOP.full), namesEnd))],
    [get(NEXT), set(RECORD_AT)],
  ];
}

/** What stands behind the limit says nothing. */
function longRecord(stop: (why: number) => Code): Code {
  return [
    [get(BODY), get(LIMIT), wasm.i32GeU, wasm.when(stop(STOP.short))],
    varint(NEXT, stop(STOP.bad)),
    [get(BODY), get(LIMIT), wasm.i32GtU, wasm.when(stop(STOP.short))],
    [get(NEXT), number(MAX_MTR_BYTES), wasm.i32GeU, wasm.when(stop(STOP.bad))],
    [get(RECORD_AT), number(16), wasm.i32Add, get(NEXT), wasm.i32Add, set(NEXT)],
  ];
}

const odd: Code = [number(1), set(IS_ODD)];

/** A varint at BODY, which moves on. @param longest what to do about one of five bytes. */
function varint(target: number, longest: Code): Code {
  const more = (bytes: number, mask: number, least: number): Code => {
    const rest = Array.from({ length: bytes }, (_, i) => [number(8), wasm.i32Shl, get(BODY), wasm.i32Load8U(i + 1), wasm.i32Or]);
    return [get(BYTE), number(mask), wasm.i32And, rest, number(least), wasm.i32Add, set(target), advance(bytes + 1)];
  };
  const below = (limit: number, yes: Code, no: Code): Code => [get(BYTE), number(limit), wasm.i32LtU, wasm.choose(yes, no)];
  const advance = (bytes: number): Code => [get(BODY), number(bytes), wasm.i32Add, set(BODY)];
  return [
    [get(BODY), wasm.i32Load8U(0), tee(BYTE), set(target)],
    below(0x80, advance(1), below(0xc0, more(1, 0x3f, 0x80), below(0xe0, more(2, 0x1f, 0x4080), below(0xf0, more(3, 0x0f, 0x204080), [longest, advance(5)])))),
  ];
}

/** What a record says. Types that change a page lie side by side. */
function look(full: Code, namesEnd: number): Code {
  const isNoChange = [get(TYPE), number(RECORD.extended), wasm.i32Sub, number(RECORD.memmove - RECORD.extended), wasm.i32GtU];
  const isByte = [get(NEXT), get(RECORD_AT), wasm.i32Sub, number(2), wasm.i32Eq];
  const isTrim = [isByte, get(TYPE), number(RECORD.extended), wasm.i32Eq, wasm.i32And, get(RECORD_AT), wasm.i32Load8U(1), number(TRIM_PAGES), wasm.i32Eq];
  const name = [
    [get(NAME), number(namesEnd), wasm.i32GeU, wasm.when(full)],
    [varint(SPACE, odd), varint(PAGE, odd), get(NEXT), get(BODY), wasm.i32Sub, set(LEFT)],
    [isNoChange, wasm.choose(wholeNoChange(), wholeChange())],
    [get(NAME), get(TYPE), wasm.i32Store(0), get(NAME), get(SPACE), wasm.i32Store(4), get(NAME), get(PAGE), wasm.i32Store(8)],
    [get(NAME), number(NAME_BYTES), wasm.i32Add, set(NAME), get(TYPE), set(ON_PAGE)],
  ];
  // Of the same page, or of files. To a page that was just freed nothing more is done.
  const samePage = [get(ON_PAGE), wasm.i32Eqz, isTrim, wasm.i32And, wasm.i32Or, isNoChange, wasm.i32Or, wasm.when(odd)];
  return [get(FIRST), number(RECORD.typeBits), wasm.i32And, set(TYPE), get(FIRST), number(0x80), wasm.i32LtU, wasm.choose(name, samePage)];
}

/** FREE and INIT have nothing behind the page's number. */
function wholeNoChange(): Code {
  return [get(LEFT), get(TYPE), number(RECORD.init), wasm.i32GtU, wasm.i32Or, wasm.when(odd)];
}

function wholeChange(): Code {
  const isTrim = [get(BODY), wasm.i32Load8U(0), number(TRIM_PAGES), wasm.i32Eq];
  return [
    [get(LEFT), number(0), wasm.i32LtS, wasm.when(odd)],
    [get(LEFT), number(1), wasm.i32Eq, wasm.when([isTrim, wasm.when(odd)])],
  ];
}

/** Pages carry the LSN of the end. */
function finishNames(): Code {
  return wasm.block(
    wasm.loop([
      [get(OWN_NAMES), get(NAME), wasm.i32GeU, wasm.leaveWhen(1)],
      [get(OWN_NAMES), get(NEXT), wasm.i32Store(NAME_BYTES - 4), get(OWN_NAMES), number(NAME_BYTES), wasm.i32Add, set(OWN_NAMES)],
      wasm.leave(0),
    ]),
  );
}

/** As `prepareMessage`: the checksum in the other order and inverted, a byte earlier; and the first four bytes inverted. */
function prepare(): Code {
  const byte = (i: number): Code => [get(RECORD_AT), wasm.i32Load8U(i)];
  const stored = [4, 3, 2, 1].map((i, place) => (place === 0 ? byte(i) : [byte(i), number(8 * place), wasm.i32Shl, wasm.i32Or]));
  return [
    [stored, number(-1), wasm.i32Xor, set(BYTE)],
    [get(RECORD_AT), get(BYTE), wasm.i32Store(0), get(RECORD_AT), number(0), wasm.i32Store8(4)],
    [get(AT), get(AT), wasm.i32Load(0), number(-1), wasm.i32Xor, wasm.i32Store(0)],
  ];
}
