/** Many viewers of one webinar, come by the product's own doors, and the beats their browsers would send. */
import type { Server } from '../support/server';
import { SECONDS_TO_FILL_A_FORM } from '../support/pages';
import type { Shot } from './wire';
import { postJson } from './wire';

/** Under the limit of registrations from one network. */
const PEOPLE_PER_NETWORK = 40;
/** Under the limit of beats a viewer may send at once. */
const BEATS_AT_ONCE = 11;
/** After so long every viewer may send as many again. */
const REFILL_SECONDS = 65;
/** Play a server believes of beats that come at once. */
const PLAYED_SECONDS = 2.9;
/** Keys are viewer × this + number of the beat. */
const NUMBERS = 65_536;

/** Registers people through the form and opens the room of each; answers their views. Their proxy names their networks. */
export async function crowd(server: Server, slug: string, people: number): Promise<string[]> {
  const form = `${server.url}/w/${slug}`;
  const stamp = /name="form_stamp"[^>]*value="([^"]+)"/.exec(await (await fetch(form)).text())?.[1];
  if (!stamp) throw new Error('the form carries no stamp');
  await server.advance(SECONDS_TO_FILL_A_FORM);
  const views: string[] = [];
  let next = 0;
  const arrive = async (): Promise<void> => {
    for (let person = next++; person < people; person = next++) {
      const network = Math.floor(person / PEOPLE_PER_NETWORK);
      const headers = { 'x-forwarded-for': `198.18.${network}.7` };
      const body = new URLSearchParams({ email: `viewer.${person}@example.com`, consent: 'yes', form_stamp: stamp });
      const registered = await fetch(form, { method: 'POST', headers, body });
      const room = /href="(\/r\/[\w-]+)"/.exec(await registered.text())?.[1];
      if (!room) throw new Error(`registering answered ${registered.status}`);
      const page = await (await fetch(`${server.url}${room}`, { headers })).text();
      const view = /"view":"([0-9a-f-]{36})"/.exec(page)?.[1];
      if (!view) throw new Error('the room carries no view');
      views.push(view);
    }
  };
  await Promise.all(Array.from({ length: 16 }, arrive));
  return views;
}

/** The beats of a crowd, in turn, each viewer within what one may send. */
export class Beats {
  readonly acknowledged = new Set<number>();
  /** Answers that were no acknowledgement, by status. */
  readonly refused = new Map<number, number>();
  private dealt = 0;
  private allowed: number;

  constructor(
    private readonly server: Server,
    private readonly views: string[],
    private readonly durationSeconds: number,
  ) {
    this.allowed = views.length * BEATS_AT_ONCE;
  }

  /** Lets the product's clock pass until every viewer may send again. */
  async refill(): Promise<void> {
    await this.server.advance(REFILL_SECONDS);
    this.allowed = this.dealt + this.views.length * BEATS_AT_ONCE;
  }

  next = (): Shot | undefined => {
    if (this.dealt >= this.allowed) return undefined;
    const viewer = this.dealt % this.views.length;
    const number = Math.floor(this.dealt / this.views.length) + 1;
    this.dealt += 1;
    const from = (number * PLAYED_SECONDS) % (this.durationSeconds - PLAYED_SECONDS);
    const json = `{"view":"${this.views[viewer]}","seq":${number},"from":${from.toFixed(3)},"to":${(from + PLAYED_SECONDS).toFixed(3)},"rate":1,"hidden":false,"muted":false,"captions":true}`;
    return { request: postJson(`${this.server.url}/api/beats`, json), key: viewer * NUMBERS + number };
  };

  heard = (key: number, status: number): void => {
    if (status === 204) this.acknowledged.add(key);
    else this.refused.set(status, (this.refused.get(status) ?? 0) + 1);
  };

  /** How many were refused since the last time this was asked. */
  forgetRefused(): number {
    const count = [...this.refused.values()].reduce((sum, times) => sum + times, 0);
    this.refused.clear();
    return count;
  }

  /** Acknowledged beats that are not among the stored ones. */
  lost(stored: { view: string; seq: number }[]): number {
    const places = new Map(this.views.map((view, index) => [view.replaceAll('-', ''), index]));
    const kept = new Set(stored.map(({ view, seq }) => (places.get(view) ?? -1) * NUMBERS + seq));
    return [...this.acknowledged].filter((key) => !kept.has(key)).length;
  }
}
