/** Files and memory of a real server at many instants, and what the check says of each memory with each state of the files. */
import { rmSync } from 'node:fs';
import type { CheckContext, NoOptions } from '../../../src/check.js';
import type { DatabaseInstance } from '../../../src/types.js';
import type { SavedMemory } from '../../../src/ways.js';
import { openFolders } from '../../testing/folder-guest.js';
import { innodbFinder } from '../find.js';
import savedMemory from '../saved-memory/index.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from '../saved-memory/judge.js';
import { PageFileRam } from './process-memory.js';
import type { TestServer } from './server.js';

export interface Said {
  /** `agrees`, `unknown`, or what is doubted: `earlier`, `later`, `differs`. */
  relation: string;
  summary: string;
  evidence: SavedMemoryEvidence;
}

export class Instant {
  private guest: Promise<{ instance: DatabaseInstance; context: CheckContext<unknown> }> | null = null;

  constructor(
    private readonly files: string,
    private readonly memory: string,
  ) {}

  static of(server: TestServer, name: string): Instant {
    const { files, memory } = server.captureWithMemory(name);
    return new Instant(files, memory);
  }

  /** The files of this instant with the memory of another, or of the same. @param lost share of its pages that are not there any more */
  async withMemoryOf(other: Instant, lost = 0): Promise<Said> {
    this.guest ??= this.open();
    const { instance, context } = await this.guest;
    const memory = { ram: new PageFileRam(other.memory, lost), facts: { complete: true } } as unknown as SavedMemory;
    const labs = { ...context.labs, memory: async () => memory };
    const evidence = await savedMemory.collect({ kind: 'instance', id: instance.id, instance }, { ...context, labs } as CheckContext<NoOptions>);
    return said(JSON.parse(JSON.stringify(evidence)) as SavedMemoryEvidence);
  }

  forget(): void {
    for (const path of [this.files, this.memory]) rmSync(path, { recursive: true, force: true });
  }

  private async open(): Promise<{ instance: DatabaseInstance; context: CheckContext<unknown> }> {
    const { instances, context } = await openFolders(this.files, innodbFinder);
    const [instance] = instances;
    if (!instance) throw new Error('no instance was found');
    return { instance, context };
  }
}

function said(evidence: SavedMemoryEvidence): Said {
  const { findings, untested, summary } = judgeSavedMemory(evidence);
  const doubt = findings[0]?.code.replace('innodb.saved-memory.disk-', '');
  return { relation: doubt ?? (untested.length > 0 ? 'unknown' : 'agrees'), summary, evidence };
}
