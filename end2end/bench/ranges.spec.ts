/** Byte ranges of a recording, beside nginx serving the same file. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { upload } from '../support/tus';
import { stranger } from '../support/story';
import { QUICK, ROUNDS, compare, limit } from './ledger';
import { ask, cpuSeconds, dice, many, median, quiet, type Answer } from './measure';
import { Nginx } from './nginx';
import { MIB, expect, grown, kept, test, type Stage } from './stage';
import type { Server } from '../support/server';
import type { Browser } from '@playwright/test';

let media: string;

/** Puts a large recording in the room and answers its address as the room's page carries it. */
async function largeRecording(browser: Browser, server: Server, stage: Stage): Promise<string> {
  const coach = await browser.newContext({ baseURL: server.url, extraHTTPHeaders: { Cookie: stage.cookie } });
  await upload(coach.request, stage.webinar.id, grown(stage.folder, QUICK ? 16 : 256));
  await coach.close();
  await quiet(server.pid);
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  const page = await visitor.newPage();
  await page.goto(stage.room);
  const video = page.locator('video').first();
  const address = (await video.getAttribute('src')) ?? (await video.locator('source').first().getAttribute('src'));
  await visitor.close();
  return new URL(address!, server.url).href;
}

test.beforeAll(async ({ browser, server, stage }) => {
  media = await largeRecording(browser, server, stage);
  // What is served may have been rewritten for a faster start: the peer serves the same bytes.
  await kept(media, join(stage.folder, 'served.mp4'));
});

/** What a client gets, whatever the boundary between parts is called. */
function essence(answer: Answer): string {
  const boundary = /boundary=([^;]+)/.exec(answer.headers['content-type'] ?? '')?.[1];
  if (!boundary) return `${answer.status} ${answer.headers['content-range'] ?? ''} ${answer.status === 206 ? answer.body.toString('base64') : ''}`;
  const parts = answer.body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  return `${answer.status} ${parts.map((part) => `${/content-range: (.*)/i.exec(part)?.[1]?.trim()} ${part.slice(part.indexOf('\r\n\r\n') + 4)}`).join('|')}`;
}

test('ranges are the same bytes as nginx serves', async ({ stage }) => {
  const nginx = await Nginx.start(stage.folder, 'off');
  const theirs = `${nginx.url}/served.mp4`;
  const size = statSync(join(stage.folder, 'served.mp4')).size;
  const validators = { ours: await validator(media), theirs: await validator(theirs) };
  const roll = dice(7);
  const differences: string[] = [];
  const requests = QUICK ? 500 : 10_000;
  await many(8, requests, async (agent) => {
    const at = roll(size);
    const length = 1 + roll(64 * 1024);
    const second = roll(size);
    const range = [
      `bytes=${at}-${at + length}`,
      `bytes=-${length}`,
      `bytes=${size - length}-`,
      `bytes=${size + roll(1000)}-`,
      `bytes=${at}-${at + 100},${second}-${second + 50}`,
    ][roll(5)]!;
    // One in eight asks for the range only while the file is still the one it knows.
    const condition = roll(8) === 0;
    const headers = (tag: string): Record<string, string> => (condition ? { range, 'if-range': tag } : { range });
    const [mine, other] = await Promise.all([ask(agent, media, headers(validators.ours), true), ask(agent, theirs, headers(validators.theirs), true)]);
    if (essence(mine) !== essence(other)) differences.push(`${range}: ${essence(mine).slice(0, 80)} against ${essence(other).slice(0, 80)}`);
  });
  const stale = { range: 'bytes=0-99', 'if-range': '"another file"' };
  const [mine, other] = [await fetch(media, { headers: stale }), await fetch(theirs, { headers: stale })];
  expect([mine.status, mine.headers.get('content-length')], 'a stale condition brings the whole file').toEqual([other.status, other.headers.get('content-length')]);
  await Promise.all([mine.body?.cancel(), other.body?.cancel()]);
  nginx.stop();
  limit({ what: `ranges answered unlike nginx, of ${requests}`, unit: 'answers', ours: differences.length }, { atMost: 0 });
  expect(differences.slice(0, 5), `${differences.length} answers differ`).toEqual([]);
});

/** The entity tag a server gives a file. */
async function validator(url: string): Promise<string> {
  const answer = await fetch(url, { method: 'HEAD' });
  const tag = answer.headers.get('etag');
  if (!tag) throw new Error(`${url} has no entity tag`);
  return tag;
}

test('byte ranges of video', async ({ server, stage }) => {
  const peers = { off: await Nginx.start(stage.folder, 'off'), on: await Nginx.start(stage.folder, 'on') };
  const size = statSync(join(stage.folder, 'served.mp4')).size;
  const chunk = Math.min(MIB, Math.floor(size / 2));
  const requests = QUICK ? 64 : 2048;
  const cost = async (pid: number, url: string): Promise<number> => {
    const roll = dice(11);
    const before = cpuSeconds(pid);
    let bytes = 0;
    await many(4, requests, async (agent) => {
      const from = roll(size - chunk);
      // Awaited first: `bytes += await …` would add to what it was before the others came.
      const answer = await ask(agent, url, { range: `bytes=${from}-${from + chunk - 1}` });
      bytes += answer.bytes;
    });
    expect(bytes).toBe(requests * chunk);
    return (cpuSeconds(pid) - before) / (bytes / 1024 ** 3);
  };
  const seen = { ours: [] as number[], off: [] as number[], on: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.ours.push(await cost(server.pid, media));
    seen.off.push(await cost(peers.off.pid, `${peers.off.url}/served.mp4`));
    seen.on.push(await cost(peers.on.pid, `${peers.on.url}/served.mp4`));
  }
  peers.off.stop();
  peers.on.stop();
  const figure = { what: 'byte ranges of video', unit: 'CPU s / GiB', ours: median(seen.ours) };
  compare({ ...figure, beside: 'nginx, sendfile off', theirs: median(seen.off) }, { atMost: 1.25 });
  compare({ ...figure, beside: 'nginx, sendfile on', theirs: median(seen.on) }, { atMost: 2 });
});
