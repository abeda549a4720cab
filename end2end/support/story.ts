/** How a test gets to where it begins: a confirmed coach, a published webinar, somebody registered. */
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { account, editor, fill, registration } from './pages';
import { linkIn, type Server } from './server';
import { address, expect } from './test';
import { upload } from './tus';

export const PASSWORD = 'quiet harbour lantern seven';

export interface CoachStory {
  name: string;
  email: string;
}

/** Signs up, confirms by the mailed link and signs in, all in the given page. */
export async function confirmedCoach(page: Page, server: Server, name = 'Maya Brandt'): Promise<CoachStory> {
  const first = name.split(' ')[0]!.toLowerCase();
  const email = address(/^[a-z]+$/.test(first) ? first : 'coach');
  server.neverLogged(email);
  await account.signUp(page, { name, email, password: PASSWORD });
  const mail = await server.mail(email, /confirm/i);
  await account.confirm(page, linkIn(mail, '/confirm'));
  if (!page.url().includes('/dashboard')) {
    await account.signIn(page, email, PASSWORD);
    await page.waitForURL(/\/dashboard/);
  }
  return { name, email };
}

export interface WebinarStory {
  id: string;
  slug: string;
  title: string;
}

let counter = 0;

/** A published webinar with the sample recording, made by the signed-in coach. */
export async function publishedWebinar(page: Page, settings: Record<string, string> = {}): Promise<WebinarStory> {
  counter += 1;
  const title = settings.title ?? `The first week ${counter}`;
  const slug = settings.slug ?? `first-week-${process.pid}-${counter}`;
  const id = await editor.create(page, title);
  await upload(page.request, id);
  await editor.open(page, id);
  await fill(page, { title, slug, presenter: 'Maya Brandt', recorded_month: '2026-10', ...settings });
  await editor.save(page);
  await editor.open(page, id);
  await editor.publish(page);
  return { id, slug, title };
}

/** A fresh browser that never met the product, with JavaScript or without. */
export async function stranger(browser: Browser, server: Server, options: { javaScriptEnabled?: boolean } = {}): Promise<BrowserContext> {
  return browser.newContext({ baseURL: server.url, locale: 'en-GB', timezoneId: 'America/Los_Angeles', ...options });
}

/** Registers somebody and returns the path of their own link, taken from the mail. */
export async function registered(page: Page, server: Server, slug: string, name = 'tom'): Promise<{ email: string; room: string }> {
  const email = address(name);
  server.neverLogged(email);
  await registration.register(page, server, slug, { email });
  const mail = await server.mail(email, /./);
  const room = new URL(linkIn(mail, '/r/')).pathname;
  expect(room).toMatch(/^\/r\/[\w-]{40,}$/);
  server.neverLogged(room.slice(3));
  return { email, room };
}

/** The view a room page carries; beats name it. */
export async function viewOf(page: Page): Promise<string> {
  const props = await page.locator('#player-props').textContent();
  const view = (JSON.parse(props ?? '{}') as { view?: string }).view;
  if (!view) throw new Error('the room page carries no view');
  return view;
}
