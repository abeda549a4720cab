/** The upload protocol as a client meets it on a bad day: lost connections, wrong offsets, damaged bytes, a killed server. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { BrowserContext } from '@playwright/test';
import { editor } from '../support/pages';
import type { Server } from '../support/server';
import { confirmedCoach } from '../support/story';
import { expect, test } from '../support/test';
import { SAMPLE_VIDEO, metadata } from '../support/tus';

const bytes = readFileSync(SAMPLE_VIDEO);

class Client {
  private constructor(
    private readonly server: Server,
    private readonly cookie: string,
  ) {}

  static async signedIn(server: Server, context: BrowserContext): Promise<Client> {
    return new Client(server, (await context.cookies()).map((held) => `${held.name}=${held.value}`).join('; '));
  }

  private headers(more: Record<string, string>): Record<string, string> {
    return { 'Tus-Resumable': '1.0.0', Cookie: this.cookie, ...more };
  }

  async create(length: number, values: Record<string, string>): Promise<Response> {
    const headers = this.headers({ 'Upload-Length': String(length), 'Upload-Metadata': metadata(values) });
    return fetch(`${this.server.url}/uploads`, { method: 'POST', headers });
  }

  async begin(webinar: string, length = bytes.length): Promise<string> {
    const answer = await this.create(length, { filename: 'session.mp4', filetype: 'video/mp4', webinar });
    expect(answer.status, await answer.text()).toBe(201);
    return new URL(answer.headers.get('location')!, this.server.url).href;
  }

  async patch(url: string, offset: number, body: Buffer, more: Record<string, string> = {}): Promise<Response> {
    const headers = this.headers({ 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream', ...more });
    return fetch(url, { method: 'PATCH', headers, body: new Uint8Array(body) });
  }

  async head(url: string): Promise<Response> {
    return fetch(url, { method: 'HEAD', headers: this.headers({}) });
  }

  async offset(url: string): Promise<number> {
    const answer = await this.head(url);
    expect(answer.status).toBe(200);
    return Number(answer.headers.get('upload-offset'));
  }

  /** Sends bytes and never finishes the request; `cut` ends the connection. */
  async dangle(url: string, offset: number, body: Buffer, promised: number): Promise<{ cut: () => void }> {
    const request = http.request(url, {
      method: 'PATCH',
      headers: this.headers({ 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream', 'Content-Length': String(promised) }),
    });
    request.on('error', () => undefined);
    await new Promise((sent) => request.write(body, sent));
    return { cut: () => request.destroy() };
  }
}

let client: Client;
let webinar: string;
test.beforeEach(async ({ page, context, server }) => {
  await confirmedCoach(page, server);
  webinar = await editor.create(page, 'Uploads');
  client = await Client.signedIn(server, context);
});

test('the offset moves by what arrived, and a wrong one is 409', async () => {
  const url = await client.begin(webinar);
  expect(await client.offset(url)).toBe(0);
  expect((await client.patch(url, 0, bytes.subarray(0, 300_000))).status).toBe(204);
  expect(await client.offset(url)).toBe(300_000);
  for (const wrong of [0, 299_999, 300_001]) expect((await client.patch(url, wrong, bytes.subarray(0, 10))).status).toBe(409);
  expect(await client.offset(url)).toBe(300_000);
});

test('damaged bytes are 460 and nothing of them is kept', async () => {
  const url = await client.begin(webinar);
  const piece = bytes.subarray(0, 200_000);
  const sum = createHash('sha1').update(piece).digest('base64');
  const damaged = Buffer.from(piece);
  damaged[100_000]! ^= 1;
  expect((await client.patch(url, 0, damaged, { 'Upload-Checksum': `sha1 ${sum}` })).status).toBe(460);
  expect(await client.offset(url)).toBe(0);
  expect((await client.patch(url, 0, piece, { 'Upload-Checksum': `sha1 ${sum}` })).status).toBe(204);
  expect(await client.offset(url)).toBe(200_000);
});

test('too large is 413, empty and foreign are refused, terminated and expired are gone', async ({ browser, server }) => {
  expect((await client.create(11 * 1024 ** 3, { filename: 'a.mp4', webinar })).status).toBe(413);
  expect((await client.create(0, { filename: 'a.mp4', webinar })).status).toBeGreaterThanOrEqual(400);
  const url = await client.begin(webinar);

  const other = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  await confirmedCoach(await other.newPage(), server, 'Noor Haddad');
  const theirs = await Client.signedIn(server, other);
  expect((await theirs.head(url)).status, 'as if it were not there').toBe(404);
  expect((await theirs.patch(url, 0, bytes)).status).toBe(404);
  await other.close();
  const nobody = await fetch(url, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
  expect([401, 404]).toContain(nobody.status);

  await server.advance(8 * 24 * 3600);
  expect([404, 410]).toContain((await client.head(url)).status);
});

test('a text that calls itself a film is refused with a sentence', async () => {
  const letter = Buffer.from('This is a letter, not a film. '.repeat(2000));
  const url = await client.begin(webinar, letter.length);
  const answer = await client.patch(url, 0, letter);
  expect([415, 422]).toContain(answer.status);
  expect(await answer.text()).toMatch(/[a-z]{3,}.*\./i);
});

test('a cut connection loses nothing that was acknowledged', async ({ page }) => {
  const url = await client.begin(webinar);
  expect((await client.patch(url, 0, bytes.subarray(0, 500_000))).status).toBe(204);
  const hanging = await client.dangle(url, 500_000, bytes.subarray(500_000, 900_000), bytes.length - 500_000);
  hanging.cut();
  let offset = 0;
  // The server may still be writing down what arrived: a client whose offset is refused asks again.
  const goOn = async () => {
    offset = await client.offset(url);
    return (await client.patch(url, offset, bytes.subarray(offset))).status;
  };
  await expect.poll(goOn).toBe(204);
  expect(offset).toBeGreaterThanOrEqual(500_000);
  expect(offset).toBeLessThanOrEqual(900_000);
  await editor.open(page, webinar);
  await expect(page.locator('video').first()).toBeVisible();
});

test('a server killed in the middle goes on where it was acknowledged', async ({ page, server }) => {
  const url = await client.begin(webinar);
  expect((await client.patch(url, 0, bytes.subarray(0, 700_000))).status).toBe(204);
  const hanging = await client.dangle(url, 700_000, bytes.subarray(700_000, 1_200_000), bytes.length - 700_000);
  await server.crashAndRestart();
  hanging.cut();
  const offset = await client.offset(url);
  expect(offset).toBeGreaterThanOrEqual(700_000);
  expect((await client.patch(url, offset, bytes.subarray(offset))).status).toBe(204);
  await editor.open(page, webinar);
  const address = await page.locator('video, video source').first().getAttribute('src');
  const stored = Buffer.from(await (await page.request.get(address!)).body());
  expect(stored.length).toBeGreaterThan(0);
  // Either the very bytes, or the same film rewritten for a faster start: it must play to its end.
  const duration = await page.locator('video').first().evaluate(
    (video: HTMLVideoElement) => new Promise<number>((done) => (video.readyState > 0 ? done(video.duration) : (video.onloadedmetadata = () => done(video.duration)))),
  );
  expect(Math.round(duration)).toBe(179);
});
