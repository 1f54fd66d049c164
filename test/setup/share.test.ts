/** Manual pages and units: without a warning of their own tools, and complete. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { bashCompletion, zshCompletion } from '../../src/commands/completion.js';
import { addDrillVerbs } from '../../src/commands/drill-verbs.js';
import { addEvidenceVerbs } from '../../src/commands/evidence-verbs.js';
import { addGateVerbs } from '../../src/commands/gate-verbs.js';
import { drillPolicySchema } from '../../src/drill/policy/load.js';
import { PACKAGE_FOLDER } from '../../src/version.js';
import { capture } from '../commands/streams.js';

const SHARE = join(PACKAGE_FOLDER, 'src/setup/share');
const page = (name: string): string => readFileSync(join(SHARE, name), 'utf8');

function has(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

describe('manual pages', () => {
  it.each(['snapproof.1', 'snapproof-policy.5'])('%s has nothing that groff warns of', (name) => {
    expect(has('groff'), 'this test needs groff (Debian package groff-base)').toBe(true);
    const { status, stdout, stderr } = spawnSync('groff', ['-mdoc', '-Tutf8', '-P-cbou', '-ww', join(SHARE, name)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('DESCRIPTION');
  });

  it('name every field of the policy', () => {
    const text = page('snapproof-policy.5');
    for (const name of fieldsOf(drillPolicySchema)) expect(text, name).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('name every verb', () => {
    const cli = readFileSync(join(PACKAGE_FOLDER, 'src/cli.ts'), 'utf8');
    const verbs = [...cli.matchAll(/program\s*\.command\('([a-z-]+)'/g)].map(([, verb]) => verb as string);
    const others = program()
      .commands.filter((command) => !('_hidden' in command && command._hidden === true))
      .map((command) => command.name());
    expect(verbs.length + others.length).toBeGreaterThan(10);
    for (const verb of [...verbs, ...others]) expect(page('snapproof.1'), verb).toContain(`.It Cm ${verb}`);
  });
});

/** Parts of the policy of verify, which its own documentation describes. */
const OF_VERIFY = ['expect', 'services', 'limits', 'options', 'only', 'skip'];

/** Fields that a person writes, of the drill and of each of its parts. */
function fieldsOf(schema: object): string[] {
  const { properties } = schema as { properties: Record<string, { items?: object; properties?: object }> };
  return Object.entries(properties).flatMap(([name, part]) => {
    if (OF_VERIFY.includes(name)) return [name];
    const inner = part.items && 'properties' in part.items ? part.items : part.properties ? part : null;
    return [name, ...(inner ? fieldsOf(inner) : [])];
  });
}

function program(): Command {
  const { streams } = capture();
  const made = new Command('snapproof').version('1');
  addDrillVerbs(made, { checks: [], finders: [] }, streams, () => undefined);
  addEvidenceVerbs(made, streams, () => undefined);
  addGateVerbs(made, { checks: [] }, streams, () => undefined);
  return made;
}

describe('completion', () => {
  /** Completes a line in a real bash. */
  function complete(...words: string[]): string[] {
    const script = `${bashCompletion(program())}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _snapproof; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: SHARE }).split('\n').filter(Boolean);
  }

  it('of bash knows verbs, verbs below them, options and choices', () => {
    expect(complete('snapproof', 'r')).toContain('run');
    expect(complete('snapproof', '')).not.toContain('drill-item');
    expect(complete('snapproof', 'ledger', 've')).toContain('verify');
    expect(complete('snapproof', 'run', '--d')).toEqual(['--dry-run']);
    expect(complete('snapproof', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh']));
    expect(complete('snapproof', 'run', '--state', 'snapproof.')).toEqual(['snapproof.1']);
  });

  it('of zsh has a function for every verb, and is understood where there is a zsh', () => {
    const script = zshCompletion(program());
    expect(script).toMatch(/^#compdef snapproof/);
    for (const verb of ['run', 'init', 'ledger_verify', 'keys']) expect(script).toContain(`_snapproof_${verb}() {`);
    if (has('zsh')) execFileSync('zsh', ['-n'], { input: script });
  });
});

describe('units', () => {
  it.each(['snapproof-drill@.service', 'snapproof-drill@.timer'])('%s is understood by systemd', (name) => {
    const text = page(name);
    expect(text).toMatch(/^\[Unit\]/m);
    if (!has('systemd-analyze')) return;
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(SHARE, name.replace('@', '@nightly'))], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes('snapproof') && /unknown|invalid|failed to parse|ignoring/i.test(line))).toEqual([]);
  });

  it('are shipped', () => {
    const { files, man } = JSON.parse(readFileSync(join(PACKAGE_FOLDER, 'package.json'), 'utf8'));
    expect(files).toContain('src/setup/share');
    expect(man).toEqual(['src/setup/share/snapproof.1', 'src/setup/share/snapproof-policy.5']);
  });
});
