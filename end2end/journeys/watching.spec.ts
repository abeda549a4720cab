import type { APIRequestContext } from '@playwright/test';
import { open } from '../support/pages';
import type { Server } from '../support/server';
import { confirmedCoach, publishedWebinar, registered, viewOf, type WebinarStory } from '../support/story';
import { expect, test } from '../support/test';

/** Whole seconds of the sample recording. */
const DURATION = 179;

/** Plays a stretch as a browser would report it: a beat every ten seconds, the clock moving along. */
class Watcher {
  private seq = 0;
  constructor(
    private readonly server: Server,
    private readonly request: APIRequestContext,
    readonly view: string,
  ) {}

  async post(from: number, to: number, more: Record<string, unknown> = {}): Promise<number> {
    this.seq += 1;
    const beat = { view: this.view, seq: this.seq, from, to, rate: 1, hidden: false, muted: false, captions: false, ...more };
    const answer = await this.request.post('/api/beats', { data: beat });
    return answer.status();
  }

  async watch(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += 10) {
      const end = Math.min(at + 10, to);
      await this.server.advance(end - at);
      expect(await this.post(at, end)).toBe(204);
    }
  }
}

let webinar: WebinarStory;
test.beforeEach(async ({ page, server }) => {
  await confirmedCoach(page, server);
  webinar = await publishedWebinar(page);
});

test('left early, rewatched, back the next day: unique, total and status follow', async ({ page, browser, server }) => {
  const visitor = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const { email, room } = await registered(visit, server, webinar.slug, 'dev');
  await visit.goto(room);
  const first = new Watcher(server, visit.request, await viewOf(visit));
  await first.watch(0, 60);
  await first.watch(30, 60);
  await server.advance(61);

  const row = () => page.getByRole('row', { name: new RegExp(email) });
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(row()).toContainText(/left early/i);
  await expect(row()).toContainText(/33|34/);
  await row().getByRole('link').first().click();
  await expect(page.getByText('1:00').first(), 'unique').toBeVisible();
  await expect(page.getByText('1:30').first(), 'with rewatching').toBeVisible();

  await server.advance(20 * 3600);
  await visit.goto(room);
  const second = new Watcher(server, visit.request, await viewOf(visit));
  expect(second.view, 'another visit').not.toBe(first.view);
  await second.watch(60, DURATION);
  await server.advance(61);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(row()).toContainText(/attended to end/i);
  await visitor.close();
});

test('a skipper who drags to the end has seen two percent', async ({ page, browser, server }) => {
  const visitor = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const { email, room } = await registered(visit, server, webinar.slug, 'skipper');
  await visit.goto(room);
  const watcher = new Watcher(server, visit.request, await viewOf(visit));
  await server.advance(4);
  expect(await watcher.post(DURATION - 4, DURATION)).toBe(204);
  await server.advance(61);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  const row = page.getByRole('row', { name: new RegExp(email) });
  await expect(row).toContainText(/2\s?%/);
  await expect(row).not.toContainText(/attended to end/i);
  await visitor.close();
});

test('impossible, foreign, repeated and flooding beats change nothing', async ({ page, browser, server }) => {
  const visitor = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const { email, room } = await registered(visit, server, webinar.slug, 'liar');
  await visit.goto(room);
  const view = await viewOf(visit);
  const post = (beat: unknown) => visit.request.post('/api/beats', { data: beat });
  const whole = { view, seq: 1, from: 0, to: DURATION, rate: 1, hidden: false, muted: false, captions: false };
  for (const lie of [
    whole,
    { ...whole, rate: 16 },
    { ...whole, from: 50, to: 40 },
    { ...whole, from: -5, to: 5 },
    { ...whole, from: DURATION + 60, to: DURATION + 70 },
    { ...whole, view: '01890000-0000-7000-8000-000000000000', to: 2 },
    { ...whole, view: 'x' },
  ]) {
    const answer = await post(lie);
    expect(answer.status(), JSON.stringify(lie)).toBeGreaterThanOrEqual(400);
    expect(answer.status()).toBeLessThan(500);
  }
  await server.advance(10);
  const honest = { ...whole, seq: 2, from: 0, to: 10 };
  expect((await post(honest)).status()).toBe(204);
  expect((await post(honest)).status(), 'a repeat is welcome and changes nothing').toBe(204);
  expect((await post({ ...honest, to: 11 })).status()).toBe(204);
  await server.advance(61);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.getByRole('row', { name: new RegExp(email) })).toContainText(/(^|\D)(5|6)(\.\d)?\s?%/);
  await visitor.close();
});

test('what was acknowledged survives a crash', async ({ page, browser, server, consoleGuard }) => {
  // The coach's page stays open meanwhile, and may ask a server that is away.
  consoleGuard.allow(/ERR_CONNECTION_REFUSED/);
  const visitor = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const { email, room } = await registered(visit, server, webinar.slug, 'crash');
  await visit.goto(room);
  const watcher = new Watcher(server, visit.request, await viewOf(visit));
  await watcher.watch(0, 90);
  await server.crashAndRestart();
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.getByRole('row', { name: new RegExp(email) })).toContainText(/50|51/);
  await visitor.close();
});
