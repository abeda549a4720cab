/** What the measurements play on: one server with a coach, a published page, its recording and somebody registered. */
import { copyFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from '@playwright/test';
import type { Server } from '../support/server';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { test as base } from '../support/test';
import { SAMPLE_VIDEO } from '../support/tus';
import { quiet } from './measure';

export { expect } from '../support/test';

export const MIB = 1024 * 1024;

/** Three paragraphs, as a coach would write them. */
export const DESCRIPTION = `Most mornings are lost before they begin. In this session you see **one week** of mornings, step by step.

- What to leave out, and why that is harder than adding something
- Ten minutes that carry the rest of the day
- What to do on the days when nothing works

Bring paper. There is nothing to buy, and you can stop and go back as often as you like.`;

export interface Stage {
  folder: string;
  webinar: WebinarStory;
  /** Path of a registrant's own link. */
  room: string;
  /** The coach's cookie. */
  cookie: string;
}

/** The sample recording, grown by a `free` box that players skip. */
export function grown(folder: string, megabytes: number): string {
  const file = join(folder, 'session.mp4');
  copyFileSync(SAMPLE_VIDEO, file);
  const out = openSync(file, 'a');
  const head = Buffer.alloc(MIB);
  head.writeUInt32BE(megabytes * MIB, 0);
  head.write('free', 4, 'latin1');
  writeSync(out, head);
  for (let written = 1; written < megabytes; written += 1) writeSync(out, Buffer.alloc(MIB, written));
  closeSync(out);
  return file;
}

async function set(browser: Browser, server: Server, folder: string): Promise<Stage> {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page, { description: DESCRIPTION });
  const cookie = (await context.cookies()).map((held) => `${held.name}=${held.value}`).join('; ');
  await context.close();
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  const { room } = await registered(await visitor.newPage(), server, webinar.slug);
  await visitor.close();
  await quiet(server.pid);
  return { folder, webinar, room, cookie };
}

/** Every measurement imports this: the server starts on one core, the browser and the load live on the other. */
export const test = base.extend<object, { stage: Stage }>({
  stage: [
    async ({ browser, server }, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'mini-webinar-bench-'));
      await use(await set(browser, server, folder));
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

/** Keeps what an address answers in a file, for a peer to serve the same bytes. */
export async function kept(url: string, file: string): Promise<void> {
  writeFileSync(file, Buffer.from(await (await fetch(url)).arrayBuffer()));
}
