/** Chromium, without a window and without a network. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export interface Opened {
  page: Page;
  /** Addresses that the page asked for, and what it complained of. */
  requests: string[];
  complaints: string[];
  close(): Promise<void>;
}

export async function openPage(browser: Browser, path: string, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Opened> {
  const context: BrowserContext = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
  const page = await context.newPage();
  const [requests, complaints]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`file://${path}`);
  return { page, requests, complaints, close: () => context.close() };
}
