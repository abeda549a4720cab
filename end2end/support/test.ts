/** The test every journey imports: a server of its own, a clean console, axe. */
import { test as base, expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConsoleGuard } from './guards';
import { Server } from './server';

/** Options a project can set. */
export type Options = Record<never, never>;

interface TestFixtures {
  consoleGuard: ConsoleGuard;
}
interface WorkerFixtures {
  server: Server;
}

export const test = base.extend<TestFixtures & Options, WorkerFixtures>({
  server: [
    async ({}, use, worker) => {
      const server = await Server.start(`${worker.project.name}-${worker.workerIndex}`);
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  // Everybody sits somewhere else, as a proxy would tell it: limits per network are for those who share one.
  extraHTTPHeaders: async ({}, use) => use({ 'x-forwarded-for': network() }),
  consoleGuard: [
    async ({ context }, use) => {
      const guard = new ConsoleGuard(context);
      await use(guard);
      guard.check();
    },
    { auto: true },
  ],
});

export { expect };

let networks = 0;
/** A network nobody was seen in before, of those that lie in no country. */
function network(): string {
  networks += 1;
  return `10.${networks >> 8}.${networks & 255}.7`;
}

let counter = 0;
/** An address nobody used before in this run. */
export function address(name: string): string {
  counter += 1;
  return `${name}.${process.pid}.${counter}@example.com`;
}

/** Waits until the page answers to clicks: its WebAssembly has taken over, or there is none to wait for. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  const wakesUp = await page.evaluate(() => matchMedia('(scripting: enabled)').matches && document.querySelector('script[type=module]') !== null);
  if (wakesUp) await page.locator('html[data-awake]').waitFor({ state: 'attached' });
  else await page.waitForLoadState('networkidle');
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails on any finding of axe at WCAG 2.2 AA. axe needs JavaScript, so the plain project leaves it to the other one. */
export async function accessible(page: Page): Promise<void> {
  if (test.info().project.use.javaScriptEnabled === false) return;
  await page.evaluate(AXE);
  const findings = await page.evaluate(async () => {
    // @ts-expect-error axe was injected above
    const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.map((v: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }) => ({
      id: v.id,
      help: v.help,
      where: v.nodes.slice(0, 5).map((node) => node.target.join(' ')),
      why: v.nodes[0]?.failureSummary.split('\n').slice(0, 3).join(' '),
    }));
  });
  expect(findings, `accessibility of ${page.url()}`).toEqual([]);
}
