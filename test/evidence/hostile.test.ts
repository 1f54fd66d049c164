/** What comes from somebody else: envelopes, keys, documents, manifests, chains. Nothing but FormatError leaves a parser. */
import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { readChain } from '../../src/evidence/archive/chain.js';
import { readManifest } from '../../src/evidence/archive/manifest.js';
import { Sums } from '../../src/evidence/archive/sums.js';
import { checkDocument, KeyRing, NO_ANCHORS } from '../../src/evidence/check-signatures.js';
import { makeEnvelope, openEnvelope, PAYLOAD_TYPE, preAuthenticationEncoding } from '../../src/evidence/dsse.js';
import { fromKey, readPublicKey } from '../../src/evidence/public-key.js';
import { payloadOf, statementsOf } from '../../src/evidence/statements.js';
import { Trust } from '../../src/evidence/trust.js';
import { canonicalJson, EMPTY_HEAD, nextEntry, type SignedText } from '../../src/ledger/index.js';
import { sampleKey } from '../ledger/documents.js';
import { passed } from '../reporters/records.js';

/** What the parser gives; null when it refused in the one way that is allowed. */
function refused<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return null;
  }
}

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
const anything = fc.oneof(fc.string({ unit: 'binary' }), json);

describe('envelopes', () => {
  it('encode as the specification says', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    expect(preAuthenticationEncoding('ü', Buffer.from('ö')).toString()).toBe('DSSEv1 2 ü 2 ö');
  });
  it('come back as they were made', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.uint8Array({ minLength: 64, maxLength: 64 }), (payload, keyid, signature) => {
        const opened = openEnvelope(canonicalJson(makeEnvelope(payload, keyid, signature)));
        expect(opened).toMatchObject({ keyid, payload: Buffer.from(payload), signature: Buffer.from(signature) });
      }),
    );
  });
  it('of any other shape are refused', () => {
    const part = fc.oneof(fc.string(), fc.constant(null), fc.integer(), fc.constant([]), fc.base64String());
    const near = fc.record({
      payloadType: fc.constantFrom(PAYLOAD_TYPE, 'text/plain'),
      payload: part,
      signatures: fc.array(fc.oneof(part, fc.record({ keyid: part, sig: part })), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          near.map((value) => canonicalJson(value)),
        ),
        (text) => void refused(() => openEnvelope(text)),
      ),
    );
  });
});

describe('public keys', () => {
  it('of any other shape are refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          anything.map((text) => `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`),
        ),
        (text) => void expect(refused(() => readPublicKey(text))).toBeNull(),
      ),
    );
  });
  it('of other algorithms are refused, and so is anything besides the key', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(() => readPublicKey(String(publicKey.export({ type: 'spki', format: 'pem' })))).toThrow(FormatError);
    const own = sampleKey('k').publicKey;
    expect(readPublicKey(own).pem).toBe(own);
    for (const text of [`${own}\n`, own.replaceAll('\n', '\r\n'), `${own}${own}`]) expect(() => readPublicKey(text)).toThrow(FormatError);
  });
});

describe('documents that somebody signed, whatever they say', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = fromKey(publicKey);
  const envelope = (payload: Buffer, seq: number, statement: string) => {
    const text = canonicalJson(makeEnvelope(payload, key.keyId, sign(null, preAuthenticationEncoding(PAYLOAD_TYPE, payload), privateKey)));
    return { seq, statement, keyId: key.keyId, text };
  };
  const signed = (text: string, payload: Buffer, statement: string): SignedText => {
    const entry = nextEntry(EMPTY_HEAD, 'r1', text, '2026-11-20T00:00:00.000Z');
    return { entry, text, envelopes: [envelope(payload, entry.seq, statement)] };
  };
  it('never end the program, and count only when they are true', async () => {
    const files = fc.array(fc.oneof(fc.constant(null), fc.record({ path: fc.jsonValue(), sha256: fc.jsonValue() })));
    const record = fc.record({
      schema: fc.constant('snapproof.record/v1'),
      id: fc.string(),
      verdict: fc.constantFrom('passed', 'failed', 7),
      restorePoint: fc.oneof(fc.constant(null), fc.record({ files })),
      checks: fc.jsonValue(),
    });
    const statement = fc.constantFrom('record', 'test-result', 'other');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          json,
          record.map((value) => JSON.stringify(value)),
        ),
        fc.oneof(json, fc.string()),
        statement,
        async (text, payload, name) => {
          const ring = new KeyRing([], { ids: [], keys: [key] });
          expect((await checkDocument(ring, signed(text, Buffer.from(payload), name))).counts).toBe(false);
        },
      ),
    );
  });
  it('so deep that they have no canonical form are refused', async () => {
    const deep = `{"schema":"snapproof.record/v1","id":"r1","verdict":"passed","checks":[],"policy":null,"restorePoint":{"files":[{"path":${'['.repeat(300)}${']'.repeat(300)},"sha256":""}]}}`;
    const ring = new KeyRing([], { ids: [], keys: [key] });
    expect(await checkDocument(ring, signed(deep, Buffer.from('{}'), 'test-result'))).toMatchObject({ counts: false, problems: [{ seq: 1 }] });
  });
  it('count with the right payload, and with that one alone', async () => {
    const text = canonicalJson(passed);
    const entry = nextEntry(EMPTY_HEAD, passed.id, text, '2026-11-20T00:00:00.000Z');
    const ring = new KeyRing([], { ids: [], keys: [key] });
    const [place, result] = statementsOf(passed, entry);
    if (!place || !result) throw new Error('two statements were expected');
    const check = (payload: Buffer, name: string) => checkDocument(ring, { entry, text, envelopes: [envelope(payload, 1, name)] });
    expect(await check(payloadOf(place.statement), 'record')).toMatchObject({ counts: true, problems: [] });
    expect(await check(payloadOf(result.statement), 'test-result')).toMatchObject({ counts: false, problems: [] });
    for (const [payload, name] of [
      [payloadOf(result.statement), 'record'],
      [payloadOf({ ...result.statement, predicate: { ...result.statement.predicate, result: 'FAILED' } }), 'test-result'],
      [payloadOf({ ...place.statement, predicate: { ...place.statement.predicate, seq: 2 } }), 'record'],
    ] as const)
      expect((await check(payload, name)).problems).toHaveLength(1);
  });
  it('about keys that are none are told', () => {
    const problems = (text: string): string[] => new KeyRing([signed(text, Buffer.from('{}'), 'record')], NO_ANCHORS).problems.map(({ message }) => message);
    fc.assert(fc.property(json, (text) => void expect(problems(text)).toHaveLength(1)));
    expect(problems(canonicalJson(sampleKey('k')))[0]).toContain('another id than it says');
  });
});

describe('parts of an archive', () => {
  it('are refused in any other shape', async () => {
    fc.assert(fc.property(anything, (text) => void expect(refused(() => readManifest(text))).toBeNull()));
    fc.assert(fc.property(anything, (text) => void refused(() => new Sums().stated(text))));
    await fc.assert(
      fc.asyncProperty(fc.array(anything), async (pieces) => {
        const chunks = (async function* () {
          for (const piece of pieces) yield Buffer.from(piece);
        })();
        const entries = await readChain(chunks, () => {}).catch((error) => {
          expect(error).toBeInstanceOf(FormatError);
          return [];
        });
        expect(entries).toEqual([]);
      }),
    );
  });
});

describe('trust', () => {
  it('never comes from keys that nobody trusted vouched for, whatever events there are', () => {
    const keys = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64));
    const step = fc.record({
      event: fc.constantFrom('added' as const, 'rotated' as const, 'revoked' as const),
      keyId: fc.constantFrom(...keys),
      signers: fc.subarray(keys.filter((keyId) => keyId !== keys[0])),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        // Only the first key is trusted, and it never signs anything but its own coming.
        const trust = new Trust(new Set([keys[0] ?? '']));
        trust.take(sampleKey('k', { keyId: keys[0] ?? '' }), 1, new Set([keys[0] ?? '']));
        steps.forEach(({ event, keyId, signers }, index) => void trust.take(sampleKey(`k${index}`, { event, keyId }), index + 2, new Set(signers)));
        for (const keyId of keys.slice(1)) expect(trust.objection(keyId, 1000)).not.toBeNull();
        expect(trust.objection(keys[0] ?? '', 1000)).toBeNull();
      }),
    );
  });
});
