/**
 * Requests over plain sockets, one at a time on each: so cheap for the asking side that one core can fill another.
 * Answers are counted, not kept.
 */
import { connect, type Socket } from 'node:net';

/** A whole request as it goes over the wire, and a number by which its sender knows it. */
export interface Shot {
  request: string;
  key: number;
}
/** Told the status of each answer; 0 when there was none. */
export type Heard = (key: number, status: number) => void;

const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
/** Browsers have a connection of their own; this many are kept for them at most. */
const MOST_CONNECTIONS = 2048;
/** How long answers still on their way are waited for. */
const PATIENCE_MS = 15_000;

export function get(url: string, headers: Record<string, string> = {}): string {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`;
}

export function postJson(url: string, json: string): string {
  const { host, pathname } = new URL(url);
  return `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}

class Connection {
  isLost = false;
  private head = '';
  private isBody = false;
  /** Body bytes to come; nothing when the last chunk says so. */
  private left: number | undefined;
  private tail = Buffer.alloc(0);
  private status = 0;
  private answered?: (status: number) => void;

  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (data) => this.take(data));
    socket.on('error', () => this.lose());
    socket.on('close', () => this.lose());
  }

  ask(request: string, answered: (status: number) => void): void {
    this.answered = answered;
    this.socket.write(request, 'latin1');
  }

  close(): void {
    this.socket.destroy();
  }

  private lose(): void {
    this.isLost = true;
    this.finish(0);
  }

  private take(data: Buffer): void {
    let body = data;
    if (!this.isBody) {
      const text = this.head + data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) {
        this.head = text;
        return;
      }
      body = data.subarray(end + 4 - this.head.length);
      this.readHead(text.slice(0, end));
    }
    if (this.left === undefined) {
      // One request at a time: what ends the data ends the answer.
      this.tail = Buffer.concat([this.tail, body.subarray(-LAST_CHUNK.length)]).subarray(-LAST_CHUNK.length);
      if (this.tail.equals(LAST_CHUNK)) this.finish(this.status);
    } else {
      this.left -= body.length;
      if (this.left <= 0) this.finish(this.status);
    }
  }

  private readHead(head: string): void {
    this.isBody = true;
    this.head = '';
    this.status = Number(head.slice(9, 12));
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const isEmpty = this.status === 204 || this.status === 304;
    this.left = isEmpty ? 0 : length === undefined ? undefined : Number(length);
    this.tail = LAST_CHUNK.subarray(0, 2);
  }

  private finish(status: number): void {
    const answered = this.answered;
    this.isBody = false;
    this.answered = undefined;
    answered?.(status);
  }
}

/** Connections to one server. */
class Pool {
  private readonly free: Connection[] = [];
  private readonly all = new Set<Connection>();

  constructor(private readonly url: URL) {}

  async fill(count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) this.free.push(await this.open());
  }

  /** A connection with nothing under way; nothing while all are busy and no more may be made. */
  take(): Connection | undefined {
    for (let found = this.free.pop(); found; found = this.free.pop()) {
      if (!found.isLost) return found;
      this.all.delete(found);
    }
    return this.all.size < MOST_CONNECTIONS ? this.begin() : undefined;
  }

  give(connection: Connection): void {
    if (connection.isLost) this.all.delete(connection);
    else this.free.push(connection);
  }

  close(): void {
    for (const connection of this.all) connection.close();
  }

  private begin(socket = connect(Number(this.url.port), this.url.hostname)): Connection {
    const connection = new Connection(socket);
    this.all.add(connection);
    return connection;
  }

  private open(): Promise<Connection> {
    const socket = connect(Number(this.url.port), this.url.hostname);
    return new Promise((done, fail) => {
      socket.once('error', fail);
      socket.once('connect', () => {
        socket.off('error', fail);
        done(this.begin(socket));
      });
    });
  }
}

/** Asks as fast as the server answers, on so many connections, for so long; answers how many answers came. */
export async function flood(url: string, connections: number, seconds: number, next: () => Shot | undefined, heard: Heard): Promise<number> {
  const pool = new Pool(new URL(url));
  await pool.fill(connections);
  const end = performance.now() + seconds * 1000;
  let answers = 0;
  const worker = async (): Promise<void> => {
    const connection = pool.take()!;
    for (let shot = next(); shot && performance.now() < end; shot = next()) {
      const { key, request } = shot;
      const status = await new Promise<number>((done) => connection.ask(request, done));
      heard(key, status);
      if (status === 0) return;
      answers += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  pool.close();
  return answers;
}

export interface Paced {
  /** Milliseconds from when each request was due to its answer: waiting for a place counts. */
  delays: Float64Array;
  /** Requests without an answer. */
  unanswered: number;
  /** Milliseconds by which the asking side itself was late, at the 99th percentile's place among all requests. */
  lateness: Float64Array;
}

/** Asks at a constant rate whatever the answers do (open loop). */
export async function pace(url: string, perSecond: number, seconds: number, next: () => Shot | undefined, heard: Heard): Promise<Paced> {
  const pool = new Pool(new URL(url));
  await pool.fill(Math.min(256, perSecond));
  const total = Math.round(perSecond * seconds);
  const delays: number[] = [];
  const lateness = new Float64Array(total);
  const waiting: { shot: Shot; due: number }[] = [];
  let open = 0;
  const fire = (connection: Connection, shot: Shot, due: number): void => {
    connection.ask(shot.request, (status) => {
      heard(shot.key, status);
      open -= 1;
      if (status !== 0) delays.push(performance.now() - due);
      const queued = connection.isLost ? undefined : waiting.shift();
      if (queued) fire(connection, queued.shot, queued.due);
      else pool.give(connection);
    });
  };
  const start = performance.now();
  for (let sent = 0; sent < total; ) {
    const now = performance.now();
    for (let due = start + (sent * 1000) / perSecond; sent < total && due <= now; due = start + (sent * 1000) / perSecond) {
      const shot = next();
      if (!shot) throw new Error('too few requests were made for this rate');
      lateness[sent] = now - due;
      sent += 1;
      open += 1;
      const connection = pool.take();
      if (connection) fire(connection, shot, due);
      else waiting.push({ shot, due });
    }
    await new Promise((go) => setImmediate(go));
  }
  const patience = performance.now() + PATIENCE_MS;
  while (open > 0 && performance.now() < patience) await new Promise((go) => setTimeout(go, 5));
  pool.close();
  return { delays: Float64Array.from(delays), unanswered: total - delays.length, lateness };
}
