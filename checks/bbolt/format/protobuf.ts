/** The few shapes of Protocol Buffers that etcd's records use. Source: the encoding that Google publishes. Throws FormatError. */
import { FormatError } from '../../../src/errors.js';

export interface Message {
  /** Numbers by field, the last one of each; above 2^64 they wrap. */
  numbers: Map<number, bigint>;
  /** Bytes by field: views. */
  bytes: Map<number, Buffer>;
}

const MAX_VARINT_BYTES = 10;

export function parseMessage(buffer: Buffer): Message {
  const message: Message = { numbers: new Map(), bytes: new Map() };
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = buffer[at++];
      if (byte === undefined) throw bad('ends inside a number');
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw bad('has a number that does not end');
  };
  while (at < buffer.length) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    if (field === 0) throw bad('has a field without a number');
    if (tag % 8 === 0) message.numbers.set(field, varint());
    else if (tag % 8 === 2) {
      const length = Number(varint());
      if (length > buffer.length - at) throw bad('has a field that reaches beyond it');
      message.bytes.set(field, buffer.subarray(at, at + length));
      at += length;
    } else throw bad(`has a field of the kind ${tag % 8}`);
  }
  return message;
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'etcd.message', message });
}
