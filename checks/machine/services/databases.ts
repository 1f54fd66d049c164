/** Database servers: the first words of their own protocols, without logging in. */
import { exchangeProbe } from './dialogue.js';
import { answered, type Judged, notReady, other, quoted, type ServiceProbe } from './probe.js';

/**
 * A start-up message (protocol 3.0) of a user that need not exist: whatever is answered to it comes after the server has found itself ready,
 * or says that it is not. Source: PostgreSQL documentation, "Message Formats" and "Error Codes".
 */
const POSTGRESQL_STARTUP = withLength(Buffer.from('\0\x03\0\0user\0snapproof\0database\0postgres\0\0', 'latin1'));
/** SQLSTATE 57P03 cannot_connect_now: starting up, shutting down, in recovery; 53300: too many connections. */
const POSTGRESQL_NOT_READY = /^(57P03|53300)$/;

function judgePostgresql(bytes: Buffer): Judged | null {
  if (bytes.length < 5) return null;
  const type = bytes.toString('latin1', 0, 1);
  const length = bytes.readUInt32BE(1);
  if (!/[REv]/.test(type) || length < 4 || length > 30_000) return other(bytes);
  if (bytes.length < 1 + length) return null;
  if (type !== 'E') return answered('PostgreSQL asked who is there');
  const fields = bytes.toString('latin1', 5, 1 + length).split('\0');
  const field = (letter: string) => fields.find((text) => text.startsWith(letter))?.slice(1) ?? '';
  const what = `PostgreSQL answered ${quoted(field('C'))}: ${quoted(field('M'))}`;
  return POSTGRESQL_NOT_READY.test(field('C')) ? notReady(what) : answered(what);
}

function withLength(message: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(4 + message.length);
  return Buffer.concat([head, message]);
}

/** 1040: too many connections, 1053: shutting down. Source: MySQL Internals, "Protocol::Handshake", "ERR_Packet". */
const MYSQL_NOT_READY = new Set([1040, 1053]);

function judgeMysql(bytes: Buffer): Judged | null {
  if (bytes.length < 5) return null;
  const end = 4 + bytes.readUIntLE(0, 3);
  if (bytes[3] !== 0 || end < 8 || end > 4096) return other(bytes);
  if (bytes.length < end) return null;
  const packet = bytes.subarray(4, end);
  if (packet[0] === 10 || packet[0] === 9) {
    const stop = packet.indexOf(0, 1);
    return stop < 0 ? other(bytes) : answered(`version ${quoted(packet.subarray(1, stop))} greeted`);
  }
  if (packet[0] !== 0xff) return other(bytes);
  const what = `it answered with error ${packet.readUInt16LE(1)}: ${quoted(packet.subarray(3))}`;
  return MYSQL_NOT_READY.has(packet.readUInt16LE(1)) ? notReady(what) : answered(what);
}

/** Source: Redis documentation, "Redis serialization protocol specification", and the errors of its server while it loads. */
function judgeRedis(bytes: Buffer): Judged | null {
  const end = bytes.indexOf('\r\n');
  if (end < 0) return bytes.length < 1024 ? null : other(bytes);
  const line = bytes.subarray(0, end);
  const text = line.toString('latin1');
  if (/^-(LOADING|MASTERDOWN|MISCONF|CLUSTERDOWN)\b/.test(text)) return notReady(`it answered ${quoted(line)}`);
  return /^(\+PONG$|-NOAUTH |-NOPERM |-DENIED |-ERR )/.test(text) ? answered(`it answered ${quoted(line)}`) : other(line);
}

/** PRELOGIN with version and encryption only: their places, then their values. Source: MS-TDS, 2.2.3.1 and 2.2.6.5. */
const TDS_PRELOGIN = Buffer.from(['1201001a00000000', '00000b0006', '0100110001', 'ff', '000000000000', '02'].join(''), 'hex');

function judgeTds(bytes: Buffer): Judged | null {
  if (bytes.length < 8) return null;
  return bytes[0] === 4 && bytes[1] === 1 && bytes.readUInt16BE(2) >= 8 ? answered('SQL Server answered the prelogin') : other(bytes);
}

export const DATABASE_PROBES: ServiceProbe[] = [
  exchangeProbe('postgresql', 5432, { say: POSTGRESQL_STARTUP, judge: judgePostgresql }),
  exchangeProbe('mysql', 3306, { judge: judgeMysql }),
  exchangeProbe('redis', 6379, { say: Buffer.from('PING\r\n'), judge: judgeRedis }),
  exchangeProbe('mssql', 1433, { say: TDS_PRELOGIN, judge: judgeTds }),
];
