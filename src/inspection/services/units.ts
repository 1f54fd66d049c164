/** Which daemons start when the guest boots: systemd's links (systemd.unit(5)), the links of System V's init, the levels of OpenRC. */
import { posix } from 'node:path';
import type { GuestReader } from './reader.js';
import { iniEntries, settingLines } from './text.js';

export interface EnabledUnit {
  /** Without `.service`; sockets keep `.socket`. */
  name: string;
  /** The link that enables it. */
  from: string;
}

const OWN = '/etc/systemd/system';
const UNIT_FOLDERS = [OWN, '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
/** What a boot comes through. */
const TARGETS = ['default', 'graphical', 'multi-user', 'basic', 'sockets', 'sysinit', 'network', 'network-online', 'remote-fs', 'timers', 'paths', 'local-fs'];
const MAX_UNITS = 1000;
const SYSV_LEVELS = ['2', '3', '4', '5'];

export async function enabledUnits(reader: GuestReader): Promise<EnabledUnit[]> {
  const systemd = await systemdUnits(reader);
  const sysv = await sysvScripts(reader, systemd !== null);
  const openrc = await openrcServices(reader);
  const native = new Set(systemd?.known ?? []);
  // systemd runs a script of System V only where there is no unit of that name.
  const all = [...(systemd?.enabled ?? []), ...sysv.filter(({ name }) => !native.has(name)), ...openrc];
  return [...new Map(all.map((unit) => [unit.name, unit])).values()].slice(0, MAX_UNITS);
}

/** Null: this guest does not boot by systemd. */
async function systemdUnits(reader: GuestReader): Promise<{ enabled: EnabledUnit[]; known: string[] } | null> {
  const init = (await reader.link('/sbin/init')) ?? (await reader.link('/usr/sbin/init')) ?? '';
  const names = await Promise.all(UNIT_FOLDERS.map((folder) => reader.names(folder)));
  if (!init.includes('systemd') && (init !== '' || (await reader.exists('/etc/inittab')) || names.flat().length === 0)) return null;
  const folders = UNIT_FOLDERS.map((path, index) => ({ path, names: new Set(names[index]) }));
  const known = new Set(names.flat());
  const wanted = await wantedUnits(reader, folders);
  const enabled: EnabledUnit[] = [];
  for (const [file, from] of wanted) {
    if (!isKnown(file, known) || (await isMasked(reader, file, folders[0]?.names))) continue;
    enabled.push({ name: file.replace(/\.service$/, ''), from });
  }
  return { enabled, known: [...known].filter((name) => name.endsWith('.service')).map((name) => name.slice(0, -8)) };
}

type UnitFolder = { path: string; names: Set<string> };

/** All that the targets of a boot want, and what that wants in turn, by file name. */
async function wantedUnits(reader: GuestReader, folders: UnitFolder[]): Promise<Map<string, string>> {
  const wanted = new Map<string, string>();
  const queue = TARGETS.map((name) => `${name}.target`);
  for (let next = queue.shift(); next !== undefined && wanted.size < MAX_UNITS; next = queue.shift()) {
    for (const { file, from } of await wantedBy(reader, folders, next)) {
      if (wanted.has(file)) continue;
      wanted.set(file, from);
      queue.push(file);
    }
  }
  return wanted;
}

async function wantedBy(reader: GuestReader, folders: UnitFolder[], unit: string): Promise<{ file: string; from: string }[]> {
  const places = folders.flatMap(({ path, names }) =>
    ['wants', 'requires'].flatMap((kind) => (names.has(`${unit}.${kind}`) ? [`${path}/${unit}.${kind}`] : [])),
  );
  const lists = await Promise.all(places.map((place) => reader.names(place)));
  const all = lists.flatMap((names, index) => names.map((file) => ({ file, from: `${places[index]}/${file}` })));
  return all.filter(({ file }) => /\.(service|socket|target)$/.test(file));
}

/** `postgresql@15-main.service` is made of `postgresql@.service`. */
function isKnown(file: string, known: Set<string>): boolean {
  return known.has(file) || known.has(file.replace(/@[^.]*\./, '@.'));
}

async function isMasked(reader: GuestReader, file: string, own: Set<string> | undefined): Promise<boolean> {
  return own?.has(file) === true && (await reader.link(posix.join(OWN, file))) === '/dev/null';
}

/** Start links of the level that the guest boots to; where systemd reads them, of any level with several users. */
async function sysvScripts(reader: GuestReader, underSystemd: boolean): Promise<EnabledUnit[]> {
  const levels = underSystemd ? SYSV_LEVELS : [await defaultLevel(reader)];
  const found: EnabledUnit[] = [];
  for (const level of levels) {
    for (const folder of [`/etc/rc${level}.d`, `/etc/rc.d/rc${level}.d`]) {
      for (const file of await reader.names(folder)) {
        const name = /^S\d\d(.+)$/.exec(file)?.[1];
        if (name) found.push({ name, from: posix.join(folder, file) });
      }
    }
  }
  return found;
}

/** `id:3:initdefault:` of inittab(5). */
async function defaultLevel(reader: GuestReader): Promise<string> {
  const lines = settingLines((await reader.text('/etc/inittab')) ?? '');
  return lines.map((line) => /^[^:]*:([0-6]):initdefault:/.exec(line)?.[1]).find(Boolean) ?? '2';
}

async function openrcServices(reader: GuestReader): Promise<EnabledUnit[]> {
  const found: EnabledUnit[] = [];
  for (const level of ['sysinit', 'boot', 'default']) {
    for (const name of await reader.names(`/etc/runlevels/${level}`)) found.push({ name, from: `/etc/runlevels/${level}/${name}` });
  }
  return found;
}

/** A unit's own settings and the changes to it (`NAME.d/*.conf`), in the order in which they count. */
export async function unitSettings(reader: GuestReader, file: string): Promise<{ path: string; entries: ReturnType<typeof iniEntries> } | null> {
  const template = file.replace(/@[^.]*\./, '@.');
  const own = await reader.first([file, template].flatMap((name) => UNIT_FOLDERS.map((folder) => posix.join(folder, name))));
  if (!own) return null;
  const changes = (
    await Promise.all([...UNIT_FOLDERS].reverse().map((folder) => reader.glob(posix.join(folder, `${file.replace(/[*?]/g, '')}.d/*.conf`))))
  ).flat();
  const texts = [own, ...(await reader.all(changes))];
  return { path: own.path, entries: texts.flatMap(({ text }) => iniEntries(text)) };
}
