import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PrivacyGuard } from '../support/guards';
import { button, field, SECONDS_TO_FILL_A_FORM } from '../support/pages';
import { confirmedCoach, publishedWebinar } from '../support/story';
import { address, expect, settled, test } from '../support/test';

/** A coach's own site: another host and port, one paragraph, the snippet. */
async function hostSite(script: string, slug: () => string) {
  const server = createServer((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    answer.end(`<!doctype html><html lang="en"><title>Maya's site</title><link rel="icon" href="data:,"><h1>Maya's site</h1>
<div data-mini-webinar="${slug()}" style="min-height:560px"></div><script async src="${script}"></script><p id="after">More text.</p></html>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://localhost:${port}`, host: `localhost:${port}`, close: () => server.close() };
}

test('the pasted snippet registers and plays with all storage blocked', async ({ page, browser, server }) => {
  let slug = '';
  const site = await hostSite(`${server.url}/embed.js`, () => slug);
  await confirmedCoach(page, server);
  slug = (await publishedWebinar(page, { embed_hosts: site.host })).slug;

  const visitor = await browser.newContext();
  await visitor.addInitScript(() => {
    // What Safari does to a frame of another site.
    const refuse = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
      Object.defineProperty(window, name, { get: refuse, configurable: true });
    }
    Object.defineProperty(document, 'cookie', { get: () => '', set: refuse, configurable: true });
  });
  const errors: string[] = [];
  visitor.on('weberror', (error) => errors.push(error.error().message));
  visitor.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const guard = new PrivacyGuard(visitor, [server.url, site.origin]);
  const visit = await visitor.newPage();
  const scripts: string[] = [];
  visit.on('request', (request) => {
    if (request.resourceType() === 'script' && request.frame() === visit.mainFrame()) scripts.push(request.url());
  });
  await visit.goto(site.origin);
  const after = await visit.locator('#after').boundingBox();
  const frame = visit.frameLocator('iframe');
  await expect(frame.getByRole('heading').first()).toBeVisible();
  await settled(visit);
  expect(scripts, 'the host page pays for one small script').toEqual([`${server.url}/embed.js`]);
  const tall = await visit.locator('iframe').boundingBox();
  const inside = await visit.frames()[1]!.evaluate(() => document.documentElement.scrollHeight);
  expect(Math.abs((tall?.height ?? 0) - inside), 'the frame is as tall as its page').toBeLessThanOrEqual(8);
  expect((await visit.locator('#after').boundingBox())!.y, 'nothing below jumps up').toBeGreaterThanOrEqual(after!.y);

  const email = address('embedded');
  server.neverLogged(email);
  await field(frame.locator('body'), 'email').first().fill(email);
  await field(frame.locator('body'), 'consent').setChecked(true);
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(frame.locator('body'), /register|watch|save my|send me/i).click();
  await server.mail(email, /./);
  const go = frame.getByRole('link', { name: /watch|room|start|open/i }).first();
  await expect(go.or(frame.locator('video')).first()).toBeVisible();
  if (await go.isVisible()) await go.click();
  const video = frame.locator('video').first();
  await expect(video).toBeVisible();
  await settled(visit);
  const big = frame.getByRole('button', { name: /^(play|watch|start)/i }).first();
  if (await big.isVisible().catch(() => false)) await big.click();
  else await video.click();
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.getVideoPlaybackQuality().totalVideoFrames), { timeout: 15_000 }).toBeGreaterThan(5);

  expect(await visitor.cookies()).toEqual([]);
  expect((await visitor.storageState()).origins).toEqual([]);
  expect(errors).toEqual([]);
  await guard.check(visit).catch((error: Error) => {
    // Reading storage throws here by construction; everything else counts.
    if (!/insecure/.test(error.message)) throw error;
  });
  await visitor.close();
  site.close();
});

test('a site that is not on the list cannot frame the page', async ({ page, browser, server }) => {
  const site = await hostSite(`${server.url}/embed.js`, () => slug);
  await confirmedCoach(page, server);
  const { slug } = await publishedWebinar(page, { embed_hosts: 'www.example.com' });
  const answer = await page.request.get(`/w/${slug}/embed`);
  const policy = answer.headers()['content-security-policy'] ?? '';
  expect(policy).toMatch(/frame-ancestors[^;]*www\.example\.com/);
  expect(policy).not.toMatch(/frame-ancestors[^;]*localhost/);
  const visitor = await browser.newContext();
  const visit = await visitor.newPage();
  const refused = visit.waitForEvent('requestfailed', (request) => request.url().includes('/embed'));
  await visit.goto(site.origin);
  expect((await refused).failure()?.errorText).toMatch(/BLOCKED_BY_(CSP|RESPONSE)/);
  const frame = visit.frames()[1];
  expect(frame ? await frame.locator('form').count().catch(() => 0) : 0).toBe(0);
  await visitor.close();
  site.close();
});

test('the loader is small', async ({ request, server }) => {
  const answer = await request.get(`${server.url}/embed.js`, { headers: { 'accept-encoding': 'br' } });
  expect(answer.headers()['content-type']).toContain('javascript');
  expect((await answer.body()).length).toBeLessThanOrEqual(3_200);
});

test('in a frame, what is not there says so instead of refusing to connect', async ({ browser, server }) => {
  const site = await hostSite(`${server.url}/embed.js`, () => 'no-such-webinar');
  const visitor = await browser.newContext();
  const visit = await visitor.newPage();
  await visit.goto(site.origin);
  await expect(visit.frameLocator('iframe').getByRole('heading', { name: /nothing here/i })).toBeVisible();
  await expect(visit.frameLocator('iframe').getByRole('link'), 'nothing leads away').toHaveCount(0);
  await visitor.close();
  site.close();
});
