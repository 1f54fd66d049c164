/** `snapproof doctor`: what is here, what is missing, and whether it works when it is really tried. */
import { EXIT, type ExitCode } from '../errors.js';
import { removeAbandoned } from '../process/clean-up.js';
import { openWorkFolder } from '../process/work-folder.js';
import { SetupError } from '../setup/console.mjs';
import { installCommand, missingPackages } from '../setup/debian.mjs';
import { installPackages } from '../setup/install.mjs';
import type { Component } from './doctor/component.js';
import { diskComponents } from './doctor/disk.js';
import { packageComponents } from './doctor/packages.js';
import { formatTable, stateOf } from './doctor/table.js';
import { tryAppliance, tryKvm, tryMachine, tryNode, trySandbox, trySqliteBinding, tryStorageDaemon } from './doctor/trials.js';

export interface DoctorArguments {
  /** Installs what is missing first. */
  install?: boolean;
  json?: boolean;
}

export interface Streams {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** @returns 0 when all that `verify` needs is usable, 4 when something is not, 2 when it may not install. */
export async function doctor(args: DoctorArguments, streams: Streams): Promise<ExitCode> {
  if (args.install) {
    const refused = await install(streams);
    if (refused !== null) return refused;
  }
  streams.stderr.write('Trying every component; starting the appliance takes up to a minute where KVM does not work.\n');
  const components = await examine();
  const broken = components.filter((item) => item.required && !item.usable);
  const missing = missingPackages(['run']).map((item) => item.name);
  const command = missing.length > 0 ? installCommand(missing) : null;
  if (args.json) {
    const document = { schema: 'snapproof.doctor/v1', usable: broken.length === 0, components: components.map((item) => ({ ...item, state: stateOf(item) })) };
    streams.stdout.write(`${JSON.stringify({ ...document, installCommand: command }, null, 2)}\n`);
  } else {
    streams.stdout.write(`${formatTable(components)}\n${conclusion(broken, command)}`);
  }
  return broken.length === 0 ? EXIT.passed : EXIT.tool;
}

/** Every component, each really tried where there is something to try. */
export async function examine(): Promise<Component[]> {
  await removeAbandoned();
  const folder = await openWorkFolder();
  try {
    const appliance = tryAppliance(folder);
    const quick = await Promise.all([trySandbox(folder), tryStorageDaemon(folder), tryKvm()]);
    const others = [...quick, await tryMachine(), ...(await appliance)];
    return [tryNode(), trySqliteBinding(), ...(await packageComponents()), ...others, ...(await diskComponents())];
  } finally {
    await folder.close();
  }
}

async function install(streams: Streams): Promise<ExitCode | null> {
  try {
    await installPackages(['run'], true);
    return null;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    streams.stderr.write(`${error.message}\n`);
    return error.exitCode === EXIT.usage ? EXIT.usage : EXIT.tool;
  }
}

function conclusion(broken: Component[], command: string | null): string {
  const install = command ? `This installs what is missing:\n    ${command}\nor let snapproof do it: snapproof doctor --install\n` : '';
  if (broken.length === 0) return `Everything that verify needs works here.\n${install}`;
  return `verify cannot do all of its work here: ${broken.map((item) => item.name).join(', ')}.\n${install}`;
}
