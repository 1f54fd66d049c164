/** Builds small indexes from the format: no Lucene wrote them. */
import { crc32 } from '../format/crc32.js';
import { FOOTER_MAGIC, HEADER_MAGIC } from '../format/segments.js';

const string = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const ID = Buffer.alloc(16, 0xab);

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** Header, content, footer. */
export function luceneFile(codec: string, content: Buffer, version = 1): Buffer {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(HEADER_MAGIC);
  const footer = Buffer.alloc(8);
  footer.writeUInt32BE(FOOTER_MAGIC);
  const all = Buffer.concat([magic, string(codec), int(version), ID, Buffer.from([0]), content, footer]);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64BE(BigInt(crc32(all)));
  return Buffer.concat([all, sum]);
}

/** `deletions`: generation of the file of deleted documents, or -1. */
export function commit(version: number, segments: { name: string; codec?: string; deletions?: number; updates?: string[] }[]): Buffer {
  const parts = [Buffer.from([9, 4, 0]), ...(version >= 7 ? [Buffer.from([9])] : []), long(12), version >= 8 ? Buffer.from([5]) : int(5), int(segments.length)];
  if (segments.length > 0) parts.push(Buffer.from([9, 4, 0]));
  for (const { name, codec = 'Lucene94', deletions = -1, updates = [] } of segments) {
    parts.push(string(name), ...(version >= 7 ? [] : [Buffer.from([1])]), ID, string(codec), long(deletions), int(0), long(-1), long(-1));
    if (version >= 9) parts.push(int(0));
    if (version >= 10) parts.push(Buffer.from([1]), ID);
    parts.push(Buffer.from([updates.length]), ...updates.map(string), int(0));
  }
  return luceneFile('segments', Buffer.concat([...parts, Buffer.from([1]), string('k'), string('v')]), version);
}

/** Two segments, one compound, one with deletions and an update of its fields; and files of a later, uncommitted one. */
export function index(version = 10): Record<string, Buffer> {
  const listing = (names: string[]) => Buffer.concat([Buffer.alloc(30, 1), Buffer.from([names.length]), ...names.map(string), Buffer.alloc(9)]);
  return {
    segments_a: commit(version, [{ name: '_0' }, { name: '_1', deletions: 37, updates: ['_1_2.fnm'] }]),
    segments_9: Buffer.from('an older commit that is being deleted'),
    '_0.si': luceneFile('Lucene90SegmentInfo', listing(['_0.cfs', '_0.cfe', '_0.si'])),
    '_0.cfs': luceneFile('Lucene90CompoundData', Buffer.alloc(5000, 3)),
    '_0.cfe': luceneFile('Lucene90CompoundEntries', Buffer.alloc(50, 4)),
    '_1.si': luceneFile('Lucene90SegmentInfo', listing(['_1.fdt', '_1_Lucene90_0.doc', '_1.si'])),
    '_1.fdt': luceneFile('Lucene90Fields', Buffer.alloc(3000, 5)),
    '_1_Lucene90_0.doc': luceneFile('Lucene90Doc', Buffer.alloc(2000, 6)),
    '_1_11.liv': luceneFile('Lucene90LiveDocs', Buffer.alloc(20, 7)),
    '_1_2.fnm': luceneFile('Lucene94FieldInfos', Buffer.alloc(90, 8)),
    '_10.fdt': Buffer.alloc(100, 9),
    'write.lock': Buffer.alloc(0),
  };
}
