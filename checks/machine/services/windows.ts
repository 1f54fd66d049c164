/** What Windows machines offer: remote desktop and file shares. */
import { exchange, exchangeProbe, talk } from './dialogue.js';
import { answered, type Judged, other, type ServiceProbe } from './probe.js';

/** X.224 connection request with a request for TLS or CredSSP: MS-RDPBCGR, 2.2.1.1. */
const RDP_REQUEST = Buffer.from('030000130ee000000000000100080003000000', 'hex');

function judgeRdp(bytes: Buffer): Judged | null {
  if (bytes.length < 7) return bytes.length > 0 && bytes[0] !== 3 ? other(bytes) : null;
  const confirmed = bytes[0] === 3 && ((bytes[5] ?? 0) & 0xf0) === 0xd0;
  return confirmed ? answered('remote desktop confirmed the connection') : other(bytes);
}

/** SMB2 NEGOTIATE with the dialects 2.0.2, 2.1, 3.0 and 3.0.2: MS-SMB2, 2.2.3. */
const SMB2_NEGOTIATE = direct(
  Buffer.concat([smb2Header(), Buffer.from(`240004000100000000000000${'534e4150'.repeat(4)}00000000000000000202100200030203`, 'hex')]),
);
/** The same for servers that know SMB1 only: MS-CIFS, 2.2.4.52. */
const SMB1_NEGOTIATE = direct(
  Buffer.concat([Buffer.from(`ff534d4272000000001801c8${'00'.repeat(20)}00`, 'hex'), Buffer.from([12, 0]), Buffer.from('\x02NT LM 0.12\0', 'latin1')]),
);

function smb2Header(): Buffer {
  const header = Buffer.alloc(64);
  header.write('\xfeSMB', 'latin1');
  header.writeUInt16LE(64, 4);
  header.writeUInt16LE(1, 14); // credits asked for
  return header;
}

/** With the length that goes before a message over TCP: MS-SMB2, 2.1. */
function direct(message: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(message.length);
  return Buffer.concat([head, message]);
}

function judgeSmb(bytes: Buffer): Judged | null {
  if (bytes.length < 8) return bytes.length > 0 && bytes[0] !== 0 ? other(bytes) : null;
  const version = { '\xfeSMB': 'SMB 2 or 3', '\xffSMB': 'SMB 1' }[bytes.toString('latin1', 4, 8)];
  return version ? answered(`${version} negotiated`) : other(bytes);
}

/** Servers of before 2008 pass over what they do not know: they are asked in their own way. */
const smb: ServiceProbe = {
  ...{ name: 'smb', defaultPort: 445, transport: 'tcp' },
  async probe(network, address, port, options) {
    const half = { ...options, timeoutMs: options.timeoutMs / 2 };
    const first = await talk(network, address, port, half, (it, scene) => exchange(it, scene, { say: SMB2_NEGOTIATE, judge: judgeSmb }));
    if (first.state !== 'mute') return first;
    const second = await talk(network, address, port, half, (it, scene) => exchange(it, scene, { say: SMB1_NEGOTIATE, judge: judgeSmb }));
    return { ...second, milliseconds: first.milliseconds + second.milliseconds };
  },
};

export const WINDOWS_PROBES: ServiceProbe[] = [exchangeProbe('rdp', 3389, { say: RDP_REQUEST, judge: judgeRdp }), smb];
