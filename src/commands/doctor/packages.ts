/** Which Debian packages are here. */
import { runTool } from '../../process/run-tool.js';
import { type DebianPackage, findTool, matchingFiles, missingParts, packages } from '../../setup/debian.mjs';
import { type Component, component } from './component.js';

/** The packages that `verify` uses, with their versions. */
export async function packageComponents(): Promise<Component[]> {
  const needed = packages.filter((item) => item.groups.includes('run'));
  const versions = await packageVersions(needed.map((item) => item.name));
  return needed.map((item) => describe(item, versions.get(item.name)));
}

function describe(item: DebianPackage, version: string | undefined): Component {
  const missing = missingParts(item);
  return component(item.name, item.neededFor, {
    version: version ?? (item.name.startsWith('linux-image') ? kernelVersion() : ''),
    required: !item.optional,
    present: missing.length === 0,
    usable: missing.length === 0,
    why: missing.length === 0 ? '' : `missing: ${missing.join(', ')}`,
  });
}

/** Any kernel of the host serves, not only the one of that package. */
function kernelVersion(): string {
  return (matchingFiles('/boot/vmlinuz-*').at(-1) ?? '').replace('/boot/vmlinuz-', '');
}

async function packageVersions(names: string[]): Promise<Map<string, string>> {
  if (!findTool('dpkg-query')) return new Map();
  const format = '$' + '{Package} $' + '{Version}\n';
  const { stdout } = await runTool({ tool: 'dpkg-query', args: ['-W', '-f', format, ...names], timeoutMs: 10_000 });
  return new Map(stdout.split('\n').flatMap((line) => (/^\S+ \S+$/.test(line) ? [line.split(' ') as [string, string]] : [])));
}
