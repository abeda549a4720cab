/** What a browser downloads, Brotli, as the browser itself asked for it; beside the players of others. */
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { BrowserContext, Page } from '@playwright/test';
import { room } from '../support/pages';
import { settled } from '../support/test';
import { limit, note } from './ledger';
import { PEERS } from './peers';
import { expect, test } from './stage';

const KB = 1000;

/** Every address a page asked its own server for. */
function asked(page: Page): Set<string> {
  const seen = new Set<string>();
  page.on('request', (request) => {
    if (request.url().startsWith('http') && !request.url().includes('/media/')) seen.add(request.url());
  });
  return seen;
}

/** Bytes of an answer's body on the wire when Brotli is accepted. */
function wireBytes(url: string, cookie = ''): Promise<number> {
  return new Promise((done, fail) => {
    http
      .get(url, { headers: { 'accept-encoding': 'br', cookie } }, (answer) => {
        let bytes = 0;
        answer.on('data', (piece: Buffer) => (bytes += piece.length));
        answer.on('end', () => done(bytes));
      })
      .on('error', fail);
  });
}

async function kilobytes(urls: Iterable<string>, cookie = ''): Promise<number> {
  let bytes = 0;
  for (const url of urls) bytes += await wireBytes(url, cookie);
  return bytes / KB;
}

const isCode = (url: string): boolean => /\.(js|mjs|wasm)(\?|$)/.test(url);

/** A module and all it imports from its own package, compressed file by file. */
function bundle(entries: string[]): number {
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) walk(resolve(dirname(file), path!));
  };
  entries.forEach(walk);
  return [...seen].reduce((sum, file) => sum + brotliCompressSync(readFileSync(file)).length, 0) / KB;
}

/** Players as their packages publish them, ready for one video file. */
function players(): [string, number][] {
  const modules = join(PEERS, 'node_modules');
  const vidstack = join(modules, 'vidstack/cdn/with-layouts');
  const provider = readdirSync(join(vidstack, 'providers')).find((name) => name.startsWith('vidstack-video-'));
  return [
    ['Vidstack with its layout', bundle([join(vidstack, 'vidstack.js'), join(vidstack, 'providers', provider!)])],
    ['hls.js, the engine without controls', bundle([join(modules, 'hls.js/dist/hls.min.js')])],
    ['Mux Player', bundle([join(modules, '@mux/mux-player/dist/mux-player.js')])],
  ];
}

async function roomCode(context: BrowserContext, path: string): Promise<string[]> {
  const page = await context.newPage();
  const seen = asked(page);
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await settled(page);
  await page.close();
  return [...seen].filter(isCode);
}

test('what a browser downloads', async ({ browser, server, stage }) => {
  const visitor = await browser.newContext({ baseURL: server.url });
  const code = await roomCode(visitor, stage.room);
  await visitor.close();
  expect(code.some((url) => url.includes('.wasm')), 'the room measures with WebAssembly').toBe(true);
  const viewer = { what: 'room, all JS and WASM', unit: 'kB', ours: await kilobytes(code) };
  limit(viewer, { atMost: 90 });
  for (const [beside, theirs] of players()) note({ ...viewer, beside, theirs });

  limit({ what: 'loader on a host page', unit: 'kB', ours: await kilobytes([`${server.url}/embed.js`]) }, { atMost: 3.2 });

  const coach = await browser.newContext({ baseURL: server.url, extraHTTPHeaders: { Cookie: stage.cookie } });
  const page = await coach.newPage();
  const seen = asked(page);
  await page.goto('/dashboard');
  await settled(page);
  expect(page.url(), 'the coach is signed in').toContain('/dashboard');
  const dashboard = { what: 'dashboard, first load all in', unit: 'kB', ours: await kilobytes(seen, stage.cookie) };
  await coach.close();
  limit(dashboard, { atMost: 250 });
});
