/** A webinar at set times: its coach sets them, people choose one in their own zone, and the room opens on time. */
import type { Browser, Page } from '@playwright/test';
import { SECONDS_TO_FILL_A_FORM, button, fill, open } from '../support/pages';
import { linkIn, type Server } from '../support/server';
import { confirmedCoach, publishedWebinar, stranger, type WebinarStory } from '../support/story';
import { accessible, address, expect, test } from '../support/test';

const hasScript = () => test.info().project.use.javaScriptEnabled !== false;

async function visitor(browser: Browser, server: Server): Promise<Page> {
  return (await stranger(browser, server, { javaScriptEnabled: hasScript() })).newPage();
}

async function addRule(page: Page, id: string, values: Record<string, string | boolean>): Promise<void> {
  await open(page, `/dashboard/webinars/${id}/times`);
  await fill(page.locator('form.rule'), values);
  await button(page.locator('form.rule'), /^add$/i).click();
  await expect(page.locator('.rules li').last()).toBeVisible();
}

/** Chooses the slot at this place and registers; returns what the confirmation page says. */
async function book(page: Page, server: Server, webinar: WebinarStory, email: string, place = 0, zone?: string): Promise<string> {
  await page.goto(`/w/${webinar.slug}${zone ? `?zone=${zone}` : ''}`);
  await page.waitForLoadState('load');
  await page.locator('.slots input[type=radio]').nth(place).check();
  await fill(page, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(page, /^register$/i).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/registered/i);
  return page.locator('main').innerText();
}

test('a weekly slot is set, chosen in another zone, waited for, and opens without a reload', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'weekly', tuesday: true, at: '18:00', zone: 'Europe/Paris' });
  await expect(page.locator('.rules')).toContainText('Every week on Tuesday at 18:00 (Europe/Paris)');
  await accessible(page);
  await fill(page, { kind: 'monthly_date' });
  await expect(page.locator('.for-monthly_date')).toBeVisible();
  await expect(page.locator('.for-weekly')).toBeHidden();
  await open(page, `/dashboard/webinars/${webinar.id}/times?zone=Asia/Tokyo`);
  await expect(page.locator('.sessions li').first()).toContainText('Asia/Tokyo');

  const viewer = await visitor(browser, server);
  const email = address('tom');
  server.neverLogged(email);
  const said = await book(viewer, server, webinar, email, 0, 'Asia/Tokyo');
  expect(said).toMatch(/Your time: Wednesday, .*Asia\/Tokyo/);
  const mail = await server.mail(email, /your link/i);
  expect(mail.text).toContain('Asia/Tokyo');
  const link = linkIn(mail, '/r/');
  server.neverLogged(new URL(link).pathname.slice(3));

  await viewer.goto(link);
  await expect(viewer.locator('.starts')).toContainText('Asia/Tokyo');
  await expect(viewer.locator('video')).toHaveCount(0);
  await accessible(viewer);
  const starts = new Date((await viewer.locator('.starts time').getAttribute('datetime'))!);
  const seconds = Math.floor((starts.getTime() - (await server.now()).getTime()) / 1000);
  await server.advance(seconds - 4);
  await viewer.goto(link);
  if (hasScript()) {
    await expect(viewer.locator('#countdown')).toHaveText(/00:0\d/);
    await expect(viewer.locator('video')).toBeVisible();
  } else {
    // Without a script the page asks for itself again.
    await expect(viewer.locator('video')).toBeVisible({ timeout: 15_000 });
  }
});

test('the same evening in three zones, and a browser that says where it is', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '19:00', floats: true });
  const viewer = await visitor(browser, server);
  for (const zone of ['America/Los_Angeles', 'Asia/Kolkata', 'Australia/Sydney']) {
    const said = await book(viewer, server, webinar, address('zoe'), 1, zone);
    expect(said).toMatch(new RegExp(`, 19:00 .*${zone.replace('_', ' ')}`));
  }
  if (hasScript()) {
    await viewer.goto(`/w/${webinar.slug}`);
    await expect(viewer).toHaveURL(/zone=America%2FLos_Angeles/);
    await expect(viewer.locator('.zone-picker summary')).toContainText('America/Los Angeles');
  }
});

test('registered already, she is offered a switch and keeps one link', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '20:00', zone: 'Europe/Paris' });
  const viewer = await visitor(browser, server);
  const email = address('gita');
  server.neverLogged(email);
  await book(viewer, server, webinar, email, 0, 'Europe/Paris');
  const link = linkIn(await server.mail(email, /your link/i), '/r/');
  await server.advance(120);
  await book(viewer, server, webinar, email.toUpperCase(), 2, 'Europe/Paris');
  const offered = await viewer.locator('.switch strong').innerText();
  await button(viewer, /switch to this time/i).click();
  await expect(viewer.locator('.starts')).toContainText(offered);
  await viewer.goto(link);
  await expect(viewer.locator('.starts')).toContainText(offered);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.locator('tbody tr')).toHaveCount(1);
});

/** Opens the one session somebody booked on the page of times. */
async function openBooked(page: Page, webinar: WebinarStory) {
  await open(page, `/dashboard/webinars/${webinar.id}/times`);
  await page.locator('#booked').getByRole('link', { name: /move or call off/i }).click();
  const editing = page.locator('#booked .editing');
  await expect(editing).toBeVisible();
  return editing;
}

test('a booked session is moved with its people, then called off, and each link keeps leading somewhere', async ({ page, browser, server, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '18:00', zone: 'Europe/Paris' });
  const viewer = await visitor(browser, server);
  const email = address('noor');
  server.neverLogged(email);
  await book(viewer, server, webinar, email, 2, 'Europe/Paris');
  const link = linkIn(await server.mail(email, /your link/i), '/r/');
  await viewer.goto(link);
  const booked = new Date((await viewer.locator('.starts time').getAttribute('datetime'))!);

  const move = (await openBooked(page, webinar)).locator('form').first();
  await accessible(page);
  const day = await move.locator('input[name="date"]').inputValue();
  await fill(move, { at: '' });
  await button(move, /move everybody/i).click();
  await expect(page.locator('#booked').getByText(/time such as 18:00/i)).toBeVisible();
  const again = page.locator('#booked .editing form').first();
  await fill(again, { date: day, at: '20:15', note: 'The hall is free later only.' });
  await button(again, /move everybody/i).click();
  await expect(page.locator('#booked > .done')).toContainText(/moved/i);
  const told = await server.mail(email, /new time/i);
  expect(told.text).toContain('20:15');
  expect(told.text).toContain('The hall is free later only.');
  await viewer.goto(link);
  const moved = new Date((await viewer.locator('.starts time').getAttribute('datetime'))!);
  expect(moved.getTime() - booked.getTime()).toBe((2 * 60 + 15) * 60_000);

  const off = (await openBooked(page, webinar)).locator('form').nth(1);
  await fill(off, { note: 'The speaker is ill.' });
  await button(off, /call it off/i).click();
  await expect(page.locator('#booked > .done')).toContainText(/called off/i);
  const cancelled = await server.mail(email, /called off/i);
  expect(cancelled.text).toContain('The speaker is ill.');
  await viewer.goto(link);
  await expect(viewer.getByText(/does not take place/i)).toBeVisible();
  await expect(viewer.getByText('The speaker is ill.')).toBeVisible();
  await accessible(viewer);
  const offered = await viewer.locator('.slots time').evaluateAll((times) => times.map((time) => (time as HTMLTimeElement).dateTime));
  expect(offered.length).toBeGreaterThan(0);
  expect(offered.map((time) => new Date(time).getTime())).not.toContain(moved.getTime());
  await viewer.locator('.slots input[type=radio]').first().check();
  await button(viewer, /take this time/i).click();
  await expect(viewer.locator('.starts')).toBeVisible();
});

test('a date nobody has booked is called off, brought back and moved, and the page follows', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '18:00', zone: 'Europe/Paris' });
  const viewer = await visitor(browser, server);
  const offered = async () => {
    await viewer.goto(`/w/${webinar.slug}?zone=Europe/Paris`);
    return viewer.locator('.slots time').evaluateAll((times) => times.map((time) => (time as HTMLTimeElement).dateTime));
  };
  const [first, second] = await offered();
  const line = () => page.locator('.sessions > li').filter({ has: page.locator(`time[datetime="${second}"]`) });
  await open(page, `/dashboard/webinars/${webinar.id}/times?zone=Europe/Paris`);
  await line().getByRole('link', { name: /move or call off/i }).click();
  await expect(line().locator('.editing')).toBeVisible();
  await accessible(page);
  await button(line(), /call it off/i).click();
  const changed = page.locator('#changed');
  await expect(changed).toContainText('Off: ');
  await expect(line()).toHaveCount(0);
  expect(await offered()).not.toContain(second);

  await button(changed, /bring it back/i).click();
  await expect(changed.getByRole('status')).toContainText(/it is back/i);
  expect(await offered()).toContain(second);

  await open(page, `/dashboard/webinars/${webinar.id}/times?zone=Europe/Paris`);
  await line().getByRole('link', { name: /move or call off/i }).click();
  await fill(line().locator('form').first(), { at: '09:15' });
  await button(line(), /^move it$/i).click();
  await expect(changed).toContainText(/Added: .*, 09:15/);
  const moved = new Date(new Date(second!).getTime() - (8 * 60 + 45) * 60_000).getTime();
  const now = (await offered()).map((time) => new Date(time).getTime());
  expect(now).toContain(moved);
  expect(now).toContain(new Date(first!).getTime());
  expect(now).not.toContain(new Date(second!).getTime());
});
