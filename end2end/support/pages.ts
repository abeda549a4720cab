/**
 * The screens, in the words of the person using them. A label that changes is one edit here.
 * Fields are found by the names their forms send, which the server shares; buttons and links by what they say.
 */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Server } from './server';
import { settled } from './test';

/** A field by its name; the head of a page has named things too. */
export const field = (page: Page | Locator, name: string): Locator => page.locator(`:is(input, select, textarea, button)[name="${name}"]`);

/** Fills what is given, by field name; a boolean ticks or clears a box. */
export async function fill(form: Page | Locator, values: Record<string, string | boolean>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const input = field(form, name).first();
    if (typeof value === 'boolean') await input.setChecked(value);
    else if ((await input.evaluate((element) => element.tagName).catch(() => 'INPUT')) === 'SELECT') await input.selectOption(value);
    else await input.fill(value);
  }
}

export const button = (page: Page | Locator, name: RegExp): Locator => page.getByRole('button', { name }).first();

/** Goes somewhere and waits until the page answers. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

export const account = {
  async signUp(page: Page, values: { name: string; email: string; password: string }): Promise<void> {
    await open(page, '/signup');
    await fill(page, { ...values, age_ok: true, terms: true });
    await button(page, /create|sign up|open.*account/i).click();
  },
  /** The page a confirmation link leads to asks for one press: link scanners must not confirm. */
  async confirm(page: Page, link: string): Promise<void> {
    await open(page, link);
    await button(page, /confirm/i).click();
    await expect(page.getByText(/confirmed/i).first()).toBeVisible();
  },
  async signIn(page: Page, email: string, password: string): Promise<void> {
    await open(page, '/login');
    await fill(page, { email, password });
    await button(page, /sign in|log in/i).click();
  },
  async secondFactor(page: Page, code: string): Promise<void> {
    await page.waitForURL(/second-factor/);
    await settled(page);
    await fill(page, { code });
    await button(page, /sign in|continue|confirm|verify/i).click();
  },
  async signOut(page: Page): Promise<void> {
    await open(page, '/dashboard/account');
    await button(page, /^(sign|log) out$/i).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/dashboard'));
  },
};

export const editor = {
  async create(page: Page, title: string): Promise<string> {
    await open(page, '/dashboard/webinars');
    const form = page.locator('form', { has: field(page, 'title') });
    if ((await form.count()) === 0 || !(await field(page, 'title').first().isVisible())) {
      await page.getByRole('button', { name: /new webinar|create/i }).or(page.getByRole('link', { name: /new webinar|create/i })).first().click();
    }
    await field(page, 'title').first().fill(title);
    await button(page, /create|start|new webinar/i).click();
    await page.waitForURL(/\/dashboard\/webinars\/[0-9a-f-]{36}/);
    await settled(page);
    return page.url().match(/webinars\/([0-9a-f-]{36})/)![1]!;
  },
  async open(page: Page, id: string): Promise<void> {
    await open(page, `/dashboard/webinars/${id}`);
  },
  async save(page: Page): Promise<void> {
    await button(page, /^save/i).click();
    await expect(page.getByText(/saved/i).first()).toBeVisible();
  },
  async publish(page: Page): Promise<void> {
    await button(page, /^publish/i).click();
    await expect(page.getByText(/^published$/i).first()).toBeVisible();
  },
  fileInput: (page: Page): Locator => page.locator('input[type=file][accept*="video"]').first(),
  captionInput: (page: Page): Locator => page.locator('input[type=file][accept*="vtt"]').first(),
  progress: (page: Page): Locator => page.getByRole('progressbar').first(),
};

/** People need a moment to fill a form; what is quicker is taken for a machine. */
export const SECONDS_TO_FILL_A_FORM = 5;

export const registration = {
  async register(page: Page, server: Server, slug: string, values: Record<string, string | boolean>): Promise<void> {
    await page.goto(`/w/${slug}`);
    await fill(page, { consent: true, ...values });
    await server.advance(SECONDS_TO_FILL_A_FORM);
    await button(page, /register|watch|save my|send me/i).click();
  },
};

export const room = {
  video: (page: Page): Locator => page.locator('video').first(),
  /** Presses play the way a person does: the big button when there is one, the video's own otherwise. */
  async play(page: Page): Promise<void> {
    const big = page.getByRole('button', { name: /^(play|watch|start|resume|continue)/i }).first();
    if (await big.isVisible().catch(() => false)) await big.click();
    else await room.video(page).evaluate((video: HTMLVideoElement) => video.play());
  },
  async frames(page: Page): Promise<number> {
    return room.video(page).evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);
  },
  async time(page: Page): Promise<number> {
    return room.video(page).evaluate((video: HTMLVideoElement) => video.currentTime);
  },
};
