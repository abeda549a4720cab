import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrivacyGuard } from '../support/guards';
import { button, editor, field, fill, open } from '../support/pages';
import { confirmedCoach, stranger } from '../support/story';
import { expect, settled, test } from '../support/test';
import { SAMPLE_CAPTIONS, SAMPLE_VIDEO } from '../support/tus';

/** Grows the sample by a `free` box, which players skip: large enough that an upload can be cut on its way. */
function grownSample(folder: string, megabytes: number): string {
  const file = join(folder, 'session.mp4');
  copyFileSync(SAMPLE_VIDEO, file);
  const size = megabytes * 1024 * 1024;
  const box = Buffer.alloc(size);
  box.writeUInt32BE(size, 0);
  box.write('free', 4, 'latin1');
  writeFileSync(file, Buffer.concat([readFileSync(file), box]));
  return file;
}

test('from an empty account to a public page, through a lost network', async ({ page, context, server, browser, consoleGuard }) => {
  test.setTimeout(240_000);
  consoleGuard.allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_NETWORK_CHANGED|ERR_CONNECTION|Failed to load resource/);
  const folder = mkdtempSync(join(tmpdir(), 'mini-webinar-file-'));
  const file = grownSample(folder, 48);
  await confirmedCoach(page, server);
  const id = await editor.create(page, 'The first week with a new client');

  // Slow enough to be cut at 60 %.
  const devtools = await context.newCDPSession(page);
  const network = (offline: boolean, bytesPerSecond: number) =>
    devtools.send('Network.emulateNetworkConditions', { offline, latency: 5, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
  await devtools.send('Network.enable');
  await network(false, 6 * 1024 * 1024);
  await editor.fileInput(page).setInputFiles(file);
  const percent = async () => {
    const bar = editor.progress(page);
    const value = Number((await bar.getAttribute('aria-valuenow')) ?? (await bar.getAttribute('value')) ?? '0');
    const max = Number((await bar.getAttribute('aria-valuemax')) ?? (await bar.getAttribute('max')) ?? '100');
    return (value / max) * 100;
  };
  await expect.poll(percent, { timeout: 60_000 }).toBeGreaterThanOrEqual(60);
  await network(true, 0);
  await expect(page.getByText(/the network is away/i)).toBeVisible();

  // The page is closed with the network still away; what had arrived is there when it comes back.
  await network(false, -1);
  await editor.open(page, id);
  await expect(page.getByText(/session\.mp4/).first(), 'the half-done upload is offered').toBeVisible();
  const offsets: number[] = [];
  page.on('request', (request) => {
    const offset = request.method() === 'PATCH' ? request.headers()['upload-offset'] : undefined;
    if (offset !== undefined) offsets.push(Number(offset));
  });
  await editor.fileInput(page).setInputFiles(file);
  await expect(page.locator('video, [data-video-ready]').first()).toBeVisible({ timeout: 120_000 });
  expect(offsets.length).toBeGreaterThan(0);
  expect(Math.min(...offsets), 'it went on where it was, less at most one part').toBeGreaterThan(48 * 1024 * 1024 * 0.3);

  await editor.open(page, id);
  await editor.captionInput(page).setInputFiles(SAMPLE_CAPTIONS);
  const add = page.getByRole('button', { name: /add captions|upload captions/i }).first();
  await fill(page, { presenter: 'Typed and not saved yet' });
  await add.click();
  await expect(page.getByText(/English · en/).first()).toBeVisible();
  await expect(field(page, 'presenter'), 'adding captions loses nothing').toHaveValue('Typed and not saved yet');

  // The publish check names what is missing; she mends it and publishes.
  await editor.open(page, id);
  await expect(page.getByText(/the page has no description/i).first()).toBeVisible();
  const slug = `first-week-${process.pid}`;
  await fill(page, { slug, presenter: 'Maya Brandt', recorded_month: '2026-11' });
  await editor.save(page);
  await open(page, `/dashboard/webinars/${id}`);
  await editor.publish(page);

  const visitor = await stranger(browser, server);
  const guard = new PrivacyGuard(visitor, [server.url]);
  const visit = await visitor.newPage();
  const answer = await visit.goto(`/w/${slug}`);
  expect(answer?.status()).toBe(200);
  await expect(visit.getByRole('heading', { level: 1 })).toHaveText('The first week with a new client');
  await settled(visit);
  await guard.check(visit);
  await visitor.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a file that is no recording is refused with a sentence', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  await confirmedCoach(page, server);
  await editor.create(page, 'Wrong file');
  await editor.fileInput(page).setInputFiles({ name: 'holiday.mp4', mimeType: 'video/mp4', buffer: Buffer.from('This is a letter, not a film. '.repeat(500)) });
  await expect(page.getByRole('alert').first()).toContainText(/not a|cannot|no recording|video/i);
});

test('an upload goes on while she looks at another page, and after a pause', async ({ page, context, server }) => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'mini-webinar-file-'));
  const file = grownSample(folder, 24);
  await confirmedCoach(page, server);
  const id = await editor.create(page, 'Elsewhere');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  const speed = (uploadThroughput: number) =>
    devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput });
  await speed(2 * 1024 * 1024);
  const checksums: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH') checksums.push(request.headers()['upload-checksum'] ?? '');
  });
  await editor.fileInput(page).setInputFiles(file);
  await expect(editor.progress(page)).toBeVisible();
  await button(page, /^pause$/i).click();
  await expect(page.getByText(/^Paused at/)).toBeVisible();
  await expect(button(page, /give it up/i)).toBeVisible();
  await button(page, /^go on$/i).click();

  await page.getByRole('link', { name: 'Results', exact: true }).click();
  await expect(page.getByRole('complementary', { name: 'Uploads' })).toContainText(/session\.mp4 is being uploaded/);
  await speed(-1);
  await page.getByRole('link', { name: 'Show it' }).click();
  await expect(page).toHaveURL(new RegExp(`/dashboard/webinars/${id}$`));
  await expect(page.locator('[data-video-ready]').first()).toBeVisible({ timeout: 60_000 });
  expect(checksums.length).toBeGreaterThan(0);
  for (const checksum of checksums) expect(checksum, 'every piece says what it is').toMatch(/^sha256 [A-Za-z0-9+/]{43}=$/);
  rmSync(folder, { recursive: true, force: true });
});

test('a file dropped on the page is taken, at whatever address it was opened', async ({ browser, server }) => {
  // The server names itself by another address than the one in the address bar.
  const elsewhere = server.url.includes('localhost') ? server.url.replace('localhost', '127.0.0.1') : server.url.replace('127.0.0.1', 'localhost');
  const context = await browser.newContext({ baseURL: elsewhere, locale: 'en-GB' });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  await editor.create(page, 'Dropped');
  const bytes = readFileSync(SAMPLE_VIDEO).toString('base64');
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], 'dropped.mp4', { type: 'video/mp4' }));
    return transfer;
  }, bytes);
  const target = page.locator('label.file.big');
  await target.dispatchEvent('dragover', { dataTransfer: data });
  await target.dispatchEvent('drop', { dataTransfer: data });
  await expect(page.locator('[data-video-ready]').first()).toBeVisible({ timeout: 60_000 });
  await context.close();
});
