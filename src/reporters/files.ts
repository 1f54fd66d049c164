/** `--report DIR`: the run as JSON and as JUnit XML, each record as text and as a page. A reader never sees half a file. */
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { buildRunDocument } from '../ledger/record.js';
import type { VerificationRecord } from '../types.js';
import { renderRunJunit } from './junit/index.js';
import { renderRecord } from './terminal.js';

export interface ReportOptions {
  storedAt?: string;
  /** Page of a record as HTML, where one can be made. */
  page?: (record: VerificationRecord) => string | Promise<string>;
}

/** @returns the paths written, `run.json` first. @throws UsageError when the folder cannot be written. */
export async function reportFiles(records: VerificationRecord[], folder: string, { page, ...options }: ReportOptions = {}): Promise<string[]> {
  const files = [
    { name: 'run.json', text: `${JSON.stringify(buildRunDocument(records), null, 2)}\n` },
    { name: 'junit.xml', text: renderRunJunit(records) },
  ];
  for (const record of records) {
    const name = fileName(record.restorePoint.machine, record.id);
    files.push({ name: `${name}.txt`, text: renderRecord(record, { color: false, ...options }) });
    if (page) files.push({ name: `${name}.html`, text: await page(record) });
  }
  return writeFiles(folder, files, '--report');
}

/** Each whole or not at all. @param option that names the folder. @returns their paths. @throws UsageError when the folder cannot be written. */
export async function writeFiles(folder: string, files: readonly { name: string; text: string }[], option: string): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, text } of files) await writeWhole(resolve(folder), name, text);
  } catch (cause) {
    throw unwritable(folder, cause, option);
  }
  return files.map(({ name }) => join(resolve(folder), name));
}

/** Makes the folder before anything else is done: nobody waits minutes to learn that it cannot be used. @throws UsageError */
export async function prepareReportFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unwritable(folder, cause, '--report');
  }
}

function unwritable(folder: string, cause: unknown, option: string): UsageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UsageError({
    code: 'report.unwritable',
    message: `The report cannot be written to ${folder}: ${why}`,
    advice: `Name a folder you may write with ${option}.`,
    cause,
  });
}

/** Without ending. Names come from outside: nothing but plain characters reaches the file name, and the id makes it unique. */
export function fileName(name: string, id: string): string {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 80);
  return `${plain(name).replace(/^\.+/, '') || 'machine'}-${plain(id)}`;
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const part = join(folder, `.${name}.${randomBytes(4).toString('hex')}.part`);
  try {
    const file = await open(part, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, join(folder, name));
  } catch (cause) {
    await rm(part, { force: true });
    throw cause;
  }
}
