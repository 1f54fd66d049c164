/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="dom.asynciterable" />
/** Pages as a reader sees them, in a browser: accessible, within the screen, the same as when they were last looked at. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import pixelmatch from 'pixelmatch';
import type { Browser } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../../checks/index.js';
import { madeUpDossier, madeUpDrill } from '../../../fixtures/reports/dossiers.js';
import { settingOf } from '../../../src/commands/report/setting.js';
import type { Dossier } from '../../../src/reporters/dossier.js';
import { render } from '../../../src/reporters/formats.js';
import { CHROMIUM, openBrowser, openPage } from './browser.js';
import { ATTACKS, poisoned } from './hostile.js';

const BASELINES = join(import.meta.dirname, 'baselines');
const WIDTHS = { desktop: 1280, phone: 360 };
/** Share of the pixels of a picture that may differ: edges of letters. */
const TOLERANCE = 0.01;

let folder: string;
let browser: Browser;
const pages: Record<string, string> = {};

const setting = settingOf({ checks: CHECKS }, [], new Date('2026-11-20T10:00:00Z'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-pages-'));
  const record = await madeUpDossier();
  const drill = madeUpDrill(24);
  const dossiers: Record<string, Dossier> = {
    record,
    drill,
    passed: await madeUpDossier('passed'),
    'hostile record': poisoned(record, LONG),
    'hostile drill': poisoned(drill, LONG),
  };
  for (const [name, dossier] of Object.entries(dossiers)) {
    pages[name] = join(folder, `${name.replace(' ', '-')}.html`);
    writeFileSync(pages[name], render(dossier, 'html', name === 'passed' ? settingOf({ checks: CHECKS }, ['DORA', 'NIS2']) : { ...setting, version: '0.0.0' }));
  }
  browser = await openBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Names without a place to break them, too. */
const LONG = [...ATTACKS, 'x'.repeat(300), `/${'deep/'.repeat(40)}`];

const every = Object.entries(WIDTHS).flatMap(([screen, width]) =>
  ['record', 'drill', 'passed', 'hostile record', 'hostile drill'].map((name) => ({ name, screen, width })),
);

describe.skipIf(!existsSync(CHROMIUM))('a page in a browser', () => {
  it.each(every)('$name, $screen: runs nothing, loads nothing, complains of nothing', async ({ name, width }) => {
    const { requests, complaints, close } = await openPage(browser, pages[name] ?? '', width);
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([`file://${pages[name]}`]);
    expect(complaints).toEqual([]);
    await close();
  });
  it.each(every)('$name, $screen: nothing stands out of the screen', async ({ name, width }) => {
    const { page, close } = await openPage(browser, pages[name] ?? '', width);
    const wide = await page.evaluate((most) => {
      const seen = [...document.querySelectorAll('body *')].filter((element) => element.closest('.unseen, .skip') === null);
      const out = seen.filter((element) => element.getBoundingClientRect().right > most + 1);
      return {
        scroll: document.documentElement.scrollWidth,
        out: out.map((element) => `${element.tagName} ${element.className}: ${element.textContent?.slice(0, 60)}`).slice(0, 5),
      };
    }, width);
    expect(wide).toEqual({ scroll: width, out: [] });
    await close();
  });
  it.each(
    every
      .flatMap((one) => (one.screen === 'desktop' ? [one, { ...one, scheme: 'dark' as const }] : [one]))
      .map((one) => ({ scheme: 'light' as const, ...one })),
  )(
    '$name, $screen, $scheme: is accessible',
    async ({ name, width, scheme }) => {
      const { page, close } = await openPage(browser, pages[name] ?? '', width, scheme);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }));
      expect(
        violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .slice(0, 3)
              .map(({ html }) => html.slice(0, 160))
              .join(' | ')}`,
        ),
      ).toEqual([]);
      await close();
    },
    120_000,
  );
  it('has its numbers side by side: three on a desktop, two on a phone; its contents beside the text or above it', async () => {
    for (const [width, columns, beside] of [
      [1280, 3, true],
      [360, 2, false],
    ] as const) {
      const { page, close } = await openPage(browser, pages.record ?? '', width);
      const seen = await page.evaluate(() => {
        const tops = [...document.querySelectorAll('.figures > div')].map((element) => element.getBoundingClientRect().top);
        const box = (selector: string) => document.querySelector(selector)?.getBoundingClientRect();
        return {
          columns: tops.filter((top) => top === tops[0]).length,
          beside: (box('nav.wide')?.width ?? 0) > 0 && (box('nav.wide')?.right ?? 0) < (box('main')?.left ?? 0),
        };
      });
      expect(seen).toEqual({ columns, beside });
      await close();
    }
  });
  it('prints on paper with numbered pages', async () => {
    const { page, close } = await openPage(browser, pages.record ?? '', 1280);
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    const sheets = pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
    expect(sheets).toBeGreaterThan(3);
    expect(sheets).toBeLessThan(30);
    await close();
  });
});

/** Pictures only compare where letters are the same: those of DejaVu Sans, as Debian's chromium sets them. */
const FONT = { text: 'Proof that a backup can be restored', widthAt100px: 1793 };

describe.skipIf(!existsSync(CHROMIUM))('pictures', () => {
  it.for([
    { name: 'record', screen: 'desktop' },
    { name: 'record', screen: 'phone' },
    { name: 'drill', screen: 'desktop' },
    { name: 'drill', screen: 'phone' },
  ] as const)('$name, $screen: as it was when it was last looked at (skipped with another font)', async ({ name, screen }, { skip }) => {
    const { page, close } = await openPage(browser, pages[name] ?? '', WIDTHS[screen]);
    const width = await page.evaluate((text) => {
      const span = document.createElement('span');
      span.append(text);
      document.body.append(span);
      span.setAttribute('class', 'probe');
      const measured = span.getBoundingClientRect().width / Number.parseFloat(getComputedStyle(span).fontSize);
      span.remove();
      return Math.round(measured * 100);
    }, FONT.text);
    if (Math.abs(width - FONT.widthAt100px) > 3) skip(`another font: ${width} instead of ${FONT.widthAt100px}`);
    const picture = PNG.sync.read(await page.screenshot());
    await close();
    const path = join(BASELINES, `${name}-${screen}.png`);
    if (process.env.SNAPPROOF_NEW_PICTURES) writeFileSync(path, PNG.sync.write(picture));
    const before = PNG.sync.read(readFileSync(path));
    expect([picture.width, picture.height]).toEqual([before.width, before.height]);
    const different = pixelmatch(before.data, picture.data, undefined, before.width, before.height, { threshold: 0.2 });
    expect(different / (before.width * before.height)).toBeLessThan(TOLERANCE);
  });
});
