import { PrivacyGuard } from '../support/guards';
import { room } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { accessible, expect, settled, test } from '../support/test';

let webinar: WebinarStory;
test.beforeAll(async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  webinar = await publishedWebinar(page);
  await context.close();
});

test('the recording really plays, and what was played reaches the server', async ({ page, context, server }) => {
  const guard = new PrivacyGuard(context, [server.url]);
  const { room: path } = await registered(page, server, webinar.slug, 'dev');
  const beats: { status: number; seq: number; from: number; to: number }[] = [];
  page.on('response', (response) => {
    if (!response.url().endsWith('/api/beats')) return;
    const beat = JSON.parse(response.request().postData() ?? '{}') as { seq: number; from: number; to: number };
    beats.push({ status: response.status(), seq: beat.seq, from: beat.from, to: beat.to });
  });
  await page.goto(path);
  await settled(page);
  expect(beats, 'nothing is measured before play').toEqual([]);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(1);
  const before = await room.frames(page);
  await expect.poll(() => room.frames(page), { message: 'frames advance' }).toBeGreaterThan(before);
  await room.video(page).evaluate((video: HTMLVideoElement) => video.pause());
  await expect.poll(() => beats.length, { timeout: 15_000 }).toBeGreaterThan(0);
  for (const beat of beats) {
    expect(beat.status).toBe(204);
    expect(beat.to).toBeGreaterThan(beat.from);
  }
  expect(new Set(beats.map((beat) => beat.seq)).size, 'every beat has its own number').toBe(beats.length);
  await guard.check(page);
});

test('another device resumes where she stopped', async ({ page, server, browser }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'resume');
  await page.goto(path);
  await settled(page);
  await room.video(page).evaluate((video: HTMLVideoElement) => (video.currentTime = 60));
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(62);
  const sent = page.waitForResponse((response) => response.url().endsWith('/api/beats') && response.status() === 204);
  await room.video(page).evaluate((video: HTMLVideoElement) => video.pause());
  await sent;

  const elsewhere = await stranger(browser, server);
  const second = await elsewhere.newPage();
  await second.goto(path);
  await settled(second);
  await room.play(second);
  await expect.poll(() => room.time(second), { timeout: 15_000 }).toBeGreaterThan(60);
  await elsewhere.close();
});

test('the keyboard reaches the player', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'keys');
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(0.5);
  await room.video(page).focus();
  await page.keyboard.press('Space');
  await expect.poll(() => room.video(page).evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);
});

test('leaving the page sends the last seconds', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'leaving');
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(3);
  await page.goto('about:blank');
  // Chromium reports no request sent on leaving, so the server is asked: it goes on where she left.
  await expect
    .poll(async () => {
      await page.goto(path);
      const props = JSON.parse((await page.locator('#player-props').textContent()) ?? '{}') as { resume_seconds?: number };
      return props.resume_seconds ?? 0;
    })
    .toBeGreaterThan(1);
});

test('room and registration are accessible', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'axe');
  await accessible(page);
  await page.goto(path);
  await settled(page);
  await accessible(page);
  await page.goto(`/w/${webinar.slug}`);
  await accessible(page);
});
