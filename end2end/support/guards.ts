/** What no page may do, watched through a whole test. */
import { expect, type BrowserContext, type Page } from '@playwright/test';

/** Fails a test on any console error, hydration warning or uncaught exception. */
export class ConsoleGuard {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      const text = message.text();
      const counts = message.type() === 'error' || (message.type() === 'warning' && /hydrat|panick|unreachable|leptos/i.test(text));
      if (counts) this.seen.push(`${message.type()}: ${text} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.seen.push(`uncaught: ${error.error().message}`));
  }

  /** Some tests provoke a refusal, which Chromium prints as an error of its own. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  check(): void {
    expect(this.seen.filter((line) => !this.allowed.some((pattern) => pattern.test(line))), 'the console stays clean').toEqual([]);
  }
}

/** Viewer pages: no cookie, no storage, nobody else's server (promises of the registration page). */
export class PrivacyGuard {
  private readonly requests: string[] = [];
  private readonly cookies: string[] = [];

  constructor(
    private readonly context: BrowserContext,
    private readonly origins: string[],
  ) {
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (!['data:', 'blob:', 'about:'].includes(url.protocol)) this.requests.push(url.origin);
    });
    context.on('response', async (response) => {
      const cookie = await response.headerValue('set-cookie').catch(() => null);
      if (cookie) this.cookies.push(`${response.url()}: ${cookie.split('=')[0]}`);
    });
  }

  async check(page: Page): Promise<void> {
    expect([...new Set(this.requests)].filter((origin) => !this.origins.includes(origin)), 'no other server is asked').toEqual([]);
    expect(this.cookies, 'no answer sets a cookie').toEqual([]);
    expect(await this.context.cookies(), 'the browser holds no cookie').toEqual([]);
    const { origins } = await this.context.storageState({ indexedDB: true });
    expect(origins, 'nothing is stored in the browser').toEqual([]);
    for (const frame of page.frames()) {
      const held = await frame.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie.length]).catch(() => [0, 0, 0]);
      expect(held, `nothing is stored by ${frame.url()}`).toEqual([0, 0, 0]);
    }
  }
}
